"""What KVM leaves on a CPU that goes offline.

Mirrors: arch/x86/kvm/x86.c, v6.12
"""


# [Modified in arch:x86]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), drop_user_return_notifiers(),
    arch/x86/kvm/x86.c, v6.12
    """
    kvm_x86_disable_virtualization_cpu()

    msrs = this_cpu_ptr(addr(user_return_msrs))
    if msrs.registered:
        kvm_on_user_return(msrs)


# [Modified in arch:x86]
def kvm_arch_enable_virtualization_cpu():
    """Mirrors: kvm_arch_enable_virtualization_cpu(), arch/x86/kvm/x86.c, v6.12; Omits: clocks"""
    kvm_user_return_msr_cpu_online()

    kvm_x86_enable_virtualization_cpu()


# [New in arch:x86]
def kvm_user_return_msr_cpu_online():
    """What the CPU has now is the host's.

    Mirrors: kvm_user_return_msr_cpu_online(), arch/x86/kvm/x86.c, v6.12; Omits: the host's value, which
    is the same on every CPU here
    """
    msrs = this_cpu_ptr(addr(user_return_msrs))
    msrs.curr = this_cpu_read(hw_tsc_aux)


# [New in arch:x86]
def kvm_x86_disable_virtualization_cpu():
    """A vendor's, where it has state on the CPU that is modelled.

    Mirrors: svm_x86_ops.disable_virtualization_cpu, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass


# [New in arch:x86]
def kvm_x86_enable_virtualization_cpu():
    """A vendor's, where it has state on the CPU that is modelled.

    Mirrors: svm_x86_ops.enable_virtualization_cpu, arch/x86/kvm/svm/svm.c, v6.12
    """
    pass
