"""arch/arm64/include/asm/kvm_host.h, as it was."""


# [Modified in museum:arm64-flags-rmw]
def vcpu_set_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Preemption stays as it is."""
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags | f
    else:
        v.arch.iflags = v.arch.iflags | f


# [Modified in museum:arm64-flags-rmw]
def vcpu_clear_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Preemption stays as it is."""
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags & ~f
    else:
        v.arch.iflags = v.arch.iflags & ~f
