"""virt/kvm/kvm_main.c, as it was."""


# [Modified in museum:avic-set-running-stale-cpu]
def kvm_vcpu_block(vcpu: ptr[kvm_vcpu]):
    """The architecture's hooks are called with preemption on."""
    wait = kvm_arch_vcpu_get_wait(vcpu)

    kvm_arch_vcpu_blocking(vcpu)
    prepare_to_rcuwait(wait)

    while True:
        set_current_state(TASK_INTERRUPTIBLE)

        if kvm_vcpu_check_block(vcpu) < 0:
            break

        schedule()

    finish_rcuwait(wait)
    kvm_arch_vcpu_unblocking(vcpu)
