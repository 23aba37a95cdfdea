"""arch/x86/kvm/svm/svm.c, broken."""


# [Modified in twin:entry_with_irqs_on]
def svm_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_enter_exit(), with interrupts on."""
    local_irq_enable()
    guest_state_enter_irqoff()
    __svm_vcpu_run(to_svm(vcpu))
    local_irq_disable()
