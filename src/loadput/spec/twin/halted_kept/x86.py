"""arch/x86/kvm/x86.c, broken."""


# [Modified in twin:halted_kept]
def vcpu_block(vcpu: ptr[kvm_vcpu]) -> int:
    """As vcpu_block(), without the change of mp_state."""
    if not kvm_arch_vcpu_runnable(vcpu):
        kvm_vcpu_halt(vcpu)

        if not kvm_arch_vcpu_runnable(vcpu):
            return 1

    return 1
