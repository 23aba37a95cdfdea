"""KVM's part of CPU hotplug while it was in the section that runs with interrupts off.

Mirrors: kvm_init(), virt/kvm/kvm_main.c, v6.1, which asks for CPUHP_AP_KVM_STARTING; before Linux commit aaf12a7b4323
("KVM: Rename and move CPUHP_AP_KVM_STARTING to ONLINE section")
"""


# [Modified in release:v6.1]
def kvm_offline_cpu():
    """Mirrors: none in v6.1: kvm_dying_cpu() is called later, by take_cpu_down()"""
    pass


# [Modified in release:v6.1]
def kvm_online_cpu():
    """Mirrors: none in v6.1: kvm_starting_cpu() was called by then"""
    pass


# [Modified in release:v6.1]
def take_cpu_down():
    """One step: the other CPUs stand still meanwhile (stop_machine()).

    Mirrors: take_cpu_down(), kernel/cpu.c; kvm_dying_cpu(), kvm_starting_cpu(),
    virt/kvm/kvm_main.c, v6.1
    Context: interrupts off
    """
    with atomic:
        assume(another_cpu_is_online())
        this_cpu_write(cpu_is_online, False)
        interrupts_are_lost()
        smpcfd_dying_cpu()
        kvm_arch_disable_virtualization_cpu()
    kvm_arch_enable_virtualization_cpu()
    with atomic:
        this_cpu_write(cpu_is_online, True)
