"""MSRs that are the host's again on the way to user mode.

Mirrors: arch/x86/kvm/msrs.c, v7.3; v6.12 has them in arch/x86/kvm/x86.c
"""


# [Modified in release:v7.3]
def kvm_set_user_return_msr(slot: upto[0], value: upto[1], mask: int) -> int:
    """Give the guest's value to the hardware, and see to it that the host's comes back.

    Mirrors: kvm_set_user_return_msr(), kvm_user_return_register_notifier(), arch/x86/kvm/msrs.c, v7.3
    Context: preemption off
    Omits: the mask (all bits), a failing WRMSR, all slots but one
    """
    msrs = this_cpu_ptr(addr(user_return_msrs))
    if value == msrs.curr:
        return 0
    this_cpu_write(hw_tsc_aux, value)
    msrs.curr = value
    if not msrs.registered:
        msrs.registered = True
    return 0


# [Modified in release:v7.3]
def kvm_on_user_return(msrs: ptr[kvm_user_return_msrs]):
    """Mirrors: kvm_on_user_return(), arch/x86/kvm/msrs.c, v7.3

    Context: IRQs off on the way to user mode, on in the thread of a CPU that goes offline
    """
    msrs.registered = False
    if msrs.curr != TSC_AUX_HOST:
        this_cpu_write(hw_tsc_aux, TSC_AUX_HOST)
        msrs.curr = TSC_AUX_HOST


# [New in release:v7.3]
def drop_user_return_notifiers():
    """Mirrors: drop_user_return_notifiers(), arch/x86/kvm/msrs.c, v7.3"""
    msrs = this_cpu_ptr(addr(user_return_msrs))
    if msrs.registered:
        kvm_on_user_return(msrs)


# [Modified in release:v7.3]
def kvm_user_return_msr_cpu_online():
    """What the CPU has now is the host's.

    Mirrors: kvm_user_return_msr_cpu_online(), arch/x86/kvm/msrs.c, v7.3; Omits: the host's value,
    which is the same on every CPU here
    """
    msrs = this_cpu_ptr(addr(user_return_msrs))
    msrs.curr = this_cpu_read(hw_tsc_aux)


# [Modified in release:v7.3]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), arch/x86/kvm/x86.c, v7.3

    Context: a task: the thread of a CPU that goes offline
    Omits: a reboot, whose IPI leaves the notifiers to the way to user mode
    """
    kvm_x86_disable_virtualization_cpu()

    drop_user_return_notifiers()
