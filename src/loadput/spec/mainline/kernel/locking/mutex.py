"""A vCPU's mutex, which its ioctls take.

Mirrors: kernel/locking/mutex.c, v6.12. Where the scenario gives a vCPU one thread, nobody sleeps on
it: that part is left out, and with it the wait list.
"""


class kvm_vcpu(struct):
    mutex: bool
    # As in the mutex's own word, and kept only where somebody may find it taken.
    mutex_owner: ptr[task_struct]
    # More than one thread has the vCPU.
    shared: bool = is_shared


class task_struct(struct):
    # On the list of those who wait for this vCPU's mutex.
    waits_for: ptr[kvm_vcpu]


def lock_vcpu(vcpu: ptr[kvm_vcpu]):
    """Ours: mutex_lock_killable() of the vCPU's mutex: take it, or sleep until it is free.

    Mirrors: __mutex_lock_common(), kernel/locking/mutex.c, v6.12
    Omits: spinning while the owner runs; that it is handed to whoever waits longest; that a fatal
    signal ends the ioctl instead
    """
    if not vcpu.shared:
        with atomic:
            assume(not vcpu.mutex)
            vcpu.mutex = True
        return

    if trylock_vcpu(vcpu):
        return

    WRITE_ONCE(current.waits_for, vcpu)
    set_current_state(TASK_INTERRUPTIBLE)
    while not trylock_vcpu(vcpu):
        schedule()
        set_current_state(TASK_INTERRUPTIBLE)
    __set_current_state(TASK_RUNNING)
    WRITE_ONCE(current.waits_for, NULL)


def trylock_vcpu(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: __mutex_trylock() of the vCPU's mutex.

    Mirrors: __mutex_trylock(), kernel/locking/mutex.c, v6.12: one cmpxchg of the owner's word
    """
    with atomic:
        if vcpu.mutex:
            return False
        vcpu.mutex = True
        vcpu.mutex_owner = current
        return True


def task_waits_for_mutex(p: ptr[task_struct]) -> bool:
    """Ours: whether the task is among those whom the owner of a mutex will wake."""
    return p.waits_for != NULL and p.waits_for.mutex


def unlock_vcpu(vcpu: ptr[kvm_vcpu]):
    """Ours: mutex_unlock() of the vCPU's mutex.

    Mirrors: mutex_unlock(), __mutex_unlock_slowpath(), kernel/locking/mutex.c, v6.12
    Omits: that of those who wait the first alone is woken: who comes too late sleeps again
    """
    if not vcpu.shared:
        smp_store_release(vcpu.mutex, False)
        return

    with atomic:
        vcpu.mutex_owner = NULL
        vcpu.mutex = False
    for t in each(task_struct):
        if READ_ONCE(t.waits_for) == vcpu:
            wake_up_process(t)
