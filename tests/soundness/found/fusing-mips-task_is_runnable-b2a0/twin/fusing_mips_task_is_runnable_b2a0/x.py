"""Drawn: unprotect, wait."""


# [Modified in twin:fusing_mips_task_is_runnable_b2a0]
def kvm_mips_run_guest(vcpu: ptr[kvm_vcpu]):
    lose_fpu()
    current.thread.pf_vcpu = True
    smp_store_mb(vcpu.mode, IN_GUEST_MODE)
    kvm_mips_vcpu_enter_exit(vcpu)
    local_irq_disable()
    current.thread.pf_vcpu = False
    local_irq_enable()


# [Modified in twin:fusing_mips_task_is_runnable_b2a0]
def task_is_runnable(p: ptr[task_struct]) -> bool:
    await_until(p.sched_delayed)
    return p.on_rq and (not p.sched_delayed)
