"""Vector registers: a load only notes that the guest's are to be restored, the entry does it, and the
kernel's own use of them in between saves the guest's.

Mirrors: arch/riscv/kvm/vcpu_vector.c, arch/riscv/kernel/kernel_mode_vector.c,
arch/riscv/include/asm/vector.h, v7.3. Only where a scenario sets uses_vector. A system call discards
the thread's own registers, so that a put gives back nothing that matters: nobody's. Whoever has other
values in the registers has taken the former ones out.
"""

# The guest uses vector registers, and softirqs of the host do.
uses_vector = False
# So does the vCPU's own thread in the kernel, which can be preempted there (RISCV_ISA_V_PREEMPTIVE).
preemptive_vector = False


class kvm_cpu_context(struct):
    v: copy[token[guest_v, vcpu]] = own
    # SSTATUS.VS of the guest is Dirty.
    vs_dirty: bool


# riscv_v_flags: RISCV_V_VCPU_NEED_RESTORE, RISCV_V_VCPU_CTX, RISCV_PREEMPT_V.
class thread_struct(struct):
    v_need_restore: bool
    v_vcpu_ctx: bool
    preempt_v: bool
    kernel_vstate: copy[token[kernel_v, task]]


hw_guest_v: per_cpu[copy[token[guest_v, vcpu]]]
hw_kernel_v: per_cpu[copy[token[kernel_v, task]]]


# [New in release:v7.3]
def kvm_riscv_vcpu_guest_vector_save(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_guest_vector_save(), arch/riscv/kvm/vcpu_vector.c, v7.3"""
    if vcpu.arch.guest_context.vs_dirty:
        vcpu.arch.guest_context.v = this_cpu(hw_guest_v)
        vcpu.arch.guest_context.vs_dirty = False


# [New in release:v7.3]
def vector_load():
    """Mirrors: kvm_riscv_vcpu_host_vector_save(), kvm_riscv_vcpu_guest_vector_restore(),
    arch/riscv/kvm/vcpu_vector.c, v7.3

    Context: get_cpu_vector_context() keeps softirqs out
    Omits: what the registers hold, which goes to host_context
    """
    if uses_vector:
        current.thread.v_need_restore = True


# [New in release:v7.3]
def vector_put(vcpu: ptr[kvm_vcpu]):
    """What the registers held at the load comes back, whoever's it was.

    Mirrors: kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c; kvm_riscv_vcpu_host_vector_restore(),
    arch/riscv/kvm/vcpu_vector.c, v7.3
    Context: get_cpu_vector_context() keeps softirqs out
    """
    if uses_vector:
        with atomic:
            kvm_riscv_vcpu_guest_vector_save(vcpu)
            this_cpu_write(hw_guest_v, 0)
            this_cpu_write(hw_kernel_v, 0)
            current.thread.v_need_restore = False
            current.thread.v_vcpu_ctx = False


# [New in release:v7.3]
def vector_enter(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_enter_exit() where it asks RISCV_V_VCPU_NEED_RESTORE,
    arch/riscv/kvm/vcpu.c, v7.3
    """
    if uses_vector and current.thread.v_need_restore:
        with atomic:
            current.thread.v_need_restore = False
            current.thread.v_vcpu_ctx = True
            this_cpu_write(hw_guest_v, vcpu.arch.guest_context.v)
            vcpu.arch.guest_context.vs_dirty = False


# [New in release:v7.3]
def kvm_riscv_vcpu_flush_vector():
    """Mirrors: kvm_riscv_vcpu_flush_vector(), arch/riscv/kvm/vcpu_vector.c, v7.3"""
    vcpu = this_cpu(kvm_running_vcpu)
    if WARN_ON_ONCE(not vcpu):
        return

    kvm_riscv_vcpu_guest_vector_save(vcpu)

    current.thread.v_need_restore = True


# [New in release:v7.3]
def __riscv_flush_vector_context():
    """Mirrors: __riscv_flush_vector_context(), arch/riscv/kernel/kernel_mode_vector.c, v7.3

    Omits: the thread's own registers, which its system call has discarded
    """
    if current.thread.v_vcpu_ctx:
        kvm_riscv_vcpu_flush_vector()
    this_cpu_write(hw_guest_v, 0)


# [New in release:v7.3]
@irq
@env
def softirq_uses_vector():
    """Mirrors: kernel_vector_begin(), kernel_vector_end(), arch/riscv/kernel/kernel_mode_vector.c, v7.3

    Omits: a softirq that comes into the thread's own use, and saves what that has
    """
    with atomic:
        assume(uses_vector and not current.is_idle and not current.thread.preempt_v)
        __riscv_flush_vector_context()


# [New in release:v7.3]
def enter_vector_usercopy():
    """The vCPU's thread copies to or from the guest's memory, 768 bytes or more.

    Mirrors: enter_vector_usercopy(), arch/riscv/lib/riscv_v_helpers.c;
    riscv_v_start_kernel_context(), arch/riscv/kernel/kernel_mode_vector.c, v7.3
    Context: preemptible
    """
    with atomic:
        __riscv_flush_vector_context()
        current.thread.preempt_v = True
        fresh(this_cpu(hw_kernel_v), current)
    vector_usercopy_goes_on()
    with atomic:
        current.thread.preempt_v = False
        this_cpu_write(hw_kernel_v, 0)


# [New in release:v7.3]
def vector_usercopy_goes_on():
    """Ours: a place to look: the registers are read again."""
    pass


# [Modified in release:v7.3]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save and load what the hardware holds of a task.

    Mirrors: switch_to(), __switch_to_fpu(), arch/riscv/include/asm/switch_to.h; __switch_to_vector(),
    arch/riscv/include/asm/vector.h, v7.3
    Context: rq lock held, IRQs off
    Omits: envcfg, instruction cache, the vector registers of user mode; that next's come back with its
    interrupt's end (riscv_v_context_nesting_end())
    """
    fstate_save(prev)
    fstate_restore(next)
    if preemptive_vector:
        if prev.thread.preempt_v:
            prev.thread.kernel_vstate = this_cpu(hw_kernel_v)
        this_cpu_write(hw_kernel_v, 0)
        if next.thread.preempt_v:
            this_cpu_write(hw_kernel_v, next.thread.kernel_vstate)


# [Modified in release:v7.3]
def kvm_riscv_vcpu_exit(vcpu: ptr[kvm_vcpu], scause: upto[1]) -> int:
    """Positive: enter again; 0: back to user space. What the guest did is free.

    Mirrors: kvm_riscv_vcpu_exit(), arch/riscv/kvm/vcpu_exit.c; kvm_sbi_ext_fwft_handler(),
    arch/riscv/kvm/vcpu_sbi_fwft.c; kvm_riscv_vcpu_pmu_snapshot_set_shmem(), arch/riscv/kvm/vcpu_pmu.c,
    v7.3; wfi_insn(), wrs_insn(), arch/riscv/kvm/vcpu_insn.c
    """
    if scause == EXIT_INTERRUPT:
        return 1
    if vcpu.guest_halts and choose():
        kvm_riscv_vcpu_wfi(vcpu)
        return 1
    if vcpu.guest_spins and choose():
        kvm_vcpu_on_spin(vcpu, choose())
        return 1
    if guest_traps and choose():
        kvm_riscv_vcpu_trap_redirect(vcpu)
        return 1
    if guest_sets_timer and choose():
        kvm_riscv_vcpu_timer_next_event(vcpu)
        return 1
    if config_changes and choose():
        kvm_sbi_fwft_set(vcpu)
        return 1
    if preemptive_vector and choose():
        enter_vector_usercopy()
        return 1
    return 0
