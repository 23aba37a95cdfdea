"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:running_kept]
def vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As vcpu_put(), leaving kvm_running_vcpu."""
    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    preempt_notifier_unregister(addr(vcpu.preempt_notifier))
    preempt_enable()
