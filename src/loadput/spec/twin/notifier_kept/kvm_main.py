"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:notifier_kept]
def vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As vcpu_put(), leaving the notifier registered."""
    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)
    preempt_enable()
