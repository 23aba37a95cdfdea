"""KVM_RUN, and the FP registers between the host's task and the guest.

Mirrors: arch/mips/kvm/mips.c, v6.12
"""

# KVM_RUN enters the guest without a look; after each exit it looks, kvm_mips_handle_exit().
ASKS_BEFORE_FIRST_ENTRY = 0


# [New in arch:mips]
def kvm_arch_vcpu_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/mips/kvm/mips.c, v6.12"""
    return READ_ONCE(vcpu.irq_pending)


# [New in arch:mips]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/mips/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:mips]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/mips/include/asm/kvm_host.h, v6.12"""
    pass


# [Modified in arch:mips]
def guest_state_enter_irqoff():
    """Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:mips]
def guest_state_exit_irqoff():
    """Mirrors: guest_state_exit_irqoff(), include/linux/kvm_host.h, v6.12: a place to look."""
    pass


# [New in arch:mips]
def kvm_own_fpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_own_fpu(), arch/mips/kvm/mips.c, v6.12; preemption off throughout: one step"""
    with atomic:
        this_cpu_write(hw_cu1, True)
        this_cpu_write(hw_guest_fp, vcpu.arch.fpu)
        this_cpu_write(hw_fp, 0)
        vcpu.arch.fpu_in_use = True


# [New in arch:mips]
def kvm_lose_fpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_lose_fpu(), arch/mips/kvm/mips.c, v6.12; Omits: MSA"""
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)
        vcpu.arch.fpu_in_use = False
        this_cpu_write(hw_cu1, False)


# [New in arch:mips]
def kvm_mips_handle_exit(vcpu: ptr[kvm_vcpu], exccode: upto[1]) -> int:
    """Mirrors: kvm_mips_handle_exit(), __kvm_mips_handle_exit(), arch/mips/kvm/mips.c, v6.12

    Context: IRQs off at entry and exit, on between
    Omits: timer, FCR31; the guest_state_enter_irqoff() on the way to the host, too, with mode
    OUTSIDE_GUEST_MODE, which kvm_mips_vcpu_enter_exit() takes back at once
    """
    guest_state_exit_irqoff()
    vcpu.mode = OUTSIDE_GUEST_MODE

    local_irq_enable()

    if exccode == EXCCODE_INT:
        cond_resched()
        ret = RESUME_GUEST
    else:
        ret = kvm_trap_vz_handle_guest_exit(vcpu)

    local_irq_disable()

    if ret == RESUME_GUEST:
        kvm_mips_deliver_interrupts(vcpu)
        if signal_pending(current):
            ret = RESUME_HOST

    if ret == RESUME_GUEST:
        smp_store_mb(vcpu.mode, IN_GUEST_MODE)
        kvm_vz_vcpu_reenter(vcpu)
        guest_state_enter_irqoff()

    return ret


# [New in arch:mips]
def kvm_mips_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_mips_vcpu_enter_exit(), arch/mips/kvm/mips.c, v6.12"""
    guest_state_enter_irqoff()
    kvm_vz_vcpu_run(vcpu)
    guest_state_exit_irqoff()


# [New in arch:mips]
def kvm_mips_run_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/mips/kvm/mips.c, v6.12, from the loss of the FPU on"""
    lose_fpu()

    local_irq_disable()
    current.thread.pf_vcpu = True

    smp_store_mb(vcpu.mode, IN_GUEST_MODE)

    kvm_mips_vcpu_enter_exit(vcpu)

    local_irq_enable()
    local_irq_disable()

    current.thread.pf_vcpu = False
    local_irq_enable()


# [New in arch:mips]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/mips/kvm/mips.c, v6.12

    Context: task, vcpu->mutex held
    Omits: completion of MMIO exits, signal mask
    """
    vcpu_load(vcpu)

    if vcpu.wants_to_run:
        kvm_mips_run_guest(vcpu)

    vcpu_put(vcpu)


# [Modified in arch:mips]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: it loads the vCPU and sets a CP0 register on the CPU.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() case KVM_SET_ONE_REG,
    arch/mips/kvm/mips.c; kvm_vz_set_one_reg(), arch/mips/kvm/vz.c, v6.12
    """
    lock_vcpu(vcpu)
    vcpu_load(vcpu)
    kvm_vz_set_one_reg(vcpu)
    vcpu_put(vcpu)
    unlock_vcpu(vcpu)


# [New in arch:mips]
def kvm_vz_set_one_reg(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vz_set_one_reg(), arch/mips/kvm/vz.c, v6.12"""
    with atomic:
        fresh(this_cpu(hw_gc0), vcpu)
