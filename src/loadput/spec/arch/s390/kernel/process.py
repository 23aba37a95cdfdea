"""Switching tasks, and what user mode does to its own registers.

Mirrors: arch/s390/kernel/process.c, v6.12
"""


# [Modified in arch:s390]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """The access registers go with the task, a guest's too while it is in KVM_RUN.

    Mirrors: __switch_to(), arch/s390/kernel/process.c; save_access_regs(), restore_access_regs(),
    arch/s390/include/asm/access-regs.h, v6.12
    Context: rq lock held, IRQs off
    Omits: FP, control registers; an idle task's registers are nobody's
    """
    if not prev.is_idle:
        prev.thread.acrs = this_cpu_read(hw_acrs)
        prev.thread.guest_acrs = this_cpu_read(hw_guest_acrs)
    if next.is_idle:
        this_cpu_write(hw_acrs, 0)
        this_cpu_write(hw_guest_acrs, 0)
    else:
        this_cpu_write(hw_acrs, next.thread.acrs)
        this_cpu_write(hw_guest_acrs, next.thread.guest_acrs)
        next.thread.acrs = 0
        next.thread.guest_acrs = 0


# [Modified in arch:s390]
def kvm_keeps_registers(p: ptr[task_struct]) -> bool:
    """Ours: sync_regs() and store_regs(), arch/s390/kvm/kvm-s390.c, v6.12: host_acrs."""
    return p.vcpu != NULL and p.vcpu.arch.host_acrs == token_of(p)


# [Modified in arch:s390]
def user_mode_work():
    """Ours: user mode writes its access registers, where its thread pointer is."""
    with atomic:
        fresh(this_cpu(hw_acrs), current)
