"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:block_without_check]
def kvm_vcpu_block(vcpu: ptr[kvm_vcpu]):
    """As kvm_vcpu_block(), without kvm_vcpu_check_block()."""
    wait = kvm_arch_vcpu_get_wait(vcpu)

    preempt_disable()
    kvm_arch_vcpu_blocking(vcpu)
    prepare_to_rcuwait(wait)
    preempt_enable()

    set_current_state(TASK_INTERRUPTIBLE)
    schedule()

    preempt_disable()
    finish_rcuwait(wait)
    kvm_arch_vcpu_unblocking(vcpu)
    preempt_enable()
