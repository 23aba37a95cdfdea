"""arch/x86/kvm/x86.c, broken."""


# [Modified in twin:mode_left_in_guest]
def kvm_x86_handle_exit_irqoff(vcpu: ptr[kvm_vcpu]):
    """As kvm_x86_handle_exit_irqoff(), undoing the store of OUTSIDE_GUEST_MODE."""
    svm_handle_exit_irqoff(vcpu)
    vcpu.mode = IN_GUEST_MODE
