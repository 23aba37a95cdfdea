"""arch/x86/kvm/svm/avic.c, as it was."""


class vcpu_svm(struct):
    avic_is_running: bool = 1


# [Modified in museum:avic-set-running-stale-cpu]
def avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Whether the vCPU waits is in avic_is_running."""
    entry = addr(to_svm(vcpu).avic_physical_id_cache)
    WARN_ON_ONCE(READ_ONCE(entry.is_running))
    is_running = to_svm(vcpu).avic_is_running
    with atomic:
        entry.host_physical_id = cpu if is_running else 0
        entry.is_running = is_running


# [New in museum:avic-set-running-stale-cpu]
def avic_set_running(vcpu: ptr[kvm_vcpu], is_run: bool):
    """vcpu->cpu is read while the task may still move."""
    to_svm(vcpu).avic_is_running = is_run

    if is_run:
        avic_vcpu_load(vcpu, vcpu.cpu)
    else:
        avic_vcpu_put(vcpu)


# [Modified in museum:avic-set-running-stale-cpu]
def avic_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_blocking()."""
    avic_set_running(vcpu, False)


# [Modified in museum:avic-set-running-stale-cpu]
def avic_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_unblocking()."""
    avic_set_running(vcpu, True)
