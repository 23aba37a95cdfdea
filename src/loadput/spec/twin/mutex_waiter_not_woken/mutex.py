"""kernel/locking/mutex.c, broken."""


# [Modified in twin:mutex_waiter_not_woken]
def unlock_vcpu(vcpu: ptr[kvm_vcpu]):
    """As unlock_vcpu(), without wake_up_process()."""
    if not vcpu.shared:
        smp_store_release(vcpu.mutex, False)
        return

    with atomic:
        vcpu.mutex_owner = NULL
        vcpu.mutex = False
