"""arch/x86/kvm/svm/svm.c, broken."""


# [Modified in twin:mode_never_in_guest]
def svm_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_enter_exit(), after the mode was set back."""
    vcpu.mode = OUTSIDE_GUEST_MODE
    guest_state_enter_irqoff()
    __svm_vcpu_run(to_svm(vcpu))
