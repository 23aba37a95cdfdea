class kvm_vcpu_arch(struct):
    last_exit_cpu: cpu = -1
    csr_dirty: bool


kvm_former_vcpu: per_cpu[ptr[kvm_vcpu]]


# [Modified in twin:riscv_csr_skip]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.1"""
    if __this_cpu_read(kvm_former_vcpu) != vcpu:
        __this_cpu_write(kvm_former_vcpu, vcpu)
        restore = True
    else:
        restore = vcpu.arch.last_exit_cpu != cpu or vcpu.arch.csr_dirty

    if restore:
        vcpu.arch.csr_dirty = False
        __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
        kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu


# [Modified in twin:riscv_csr_skip]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c, v7.1: the CSRs keep their values."""
    vcpu.cpu = -1

    kvm_riscv_vcpu_guest_fp_save(vcpu)
    kvm_riscv_vcpu_host_fp_restore(vcpu)

    vcpu.arch.guest_csr = __this_cpu_read(hw_vs_csr)


# [Modified in twin:riscv_csr_skip]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v7.1"""
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    vcpu.arch.last_exit_cpu = -1

    with atomic:
        fresh(vcpu.arch.guest_csr, vcpu)
        vcpu.arch.guest_context.fp = token_of(vcpu)
        vcpu.arch.guest_context.fs_dirty = False

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
    put_cpu()


# [Modified in twin:riscv_csr_skip]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Every copy of the VS CSRs on another CPU or in memory is old from here on."""
    fresh(this_cpu(hw_vs_csr), vcpu)
    vcpu.arch.guest_context.fp = 0
    vcpu.arch.guest_context.fs_dirty = True
    if vcpu.arch.hvip:
        vcpu.arch.hvip = False
        vcpu.irq_pending = False


# [Modified in twin:riscv_csr_skip]
def kvm_riscv_vcpu_trap_redirect(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_trap_redirect(), arch/riscv/kvm/vcpu_exit.c, v7.1: no csr_dirty"""
    with atomic:
        fresh(this_cpu(hw_vs_csr), vcpu)


# [Modified in twin:riscv_csr_skip]
def kvm_riscv_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: kvm_riscv_vcpu_enter_exit(), arch/riscv/kvm/vcpu.c, v7.1"""
    guest_state_enter_irqoff()
    scause = __kvm_riscv_switch_to(vcpu)
    vcpu.arch.last_exit_cpu = vcpu.cpu
    guest_state_exit_irqoff()
    return scause


# [Modified in twin:riscv_csr_skip]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """KVM_SET_ONE_REG of a CSR.

    Mirrors: kvm_riscv_vcpu_set_reg_csr(), arch/riscv/kvm/vcpu_onereg.c, v7.1
    """
    await_until(not vcpu.mutex)
    vcpu.mutex = True
    fresh(vcpu.arch.guest_csr, vcpu)
    vcpu.arch.csr_dirty = True
    vcpu.mutex = False
