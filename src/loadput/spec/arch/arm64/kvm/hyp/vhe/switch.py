"""World switch with VHE.

Mirrors: arch/arm64/kvm/hyp/vhe/switch.c, arch/arm64/kvm/hyp/vhe/tlb.c, v6.12
Omits: traps and debug registers; the guest's own registers that each entry and exit switches
"""


# [New in arch:arm64]
def __load_stage2(mmu: ptr[kvm_s2_mmu]):
    """Mirrors: __load_stage2(), arch/arm64/include/asm/kvm_mmu.h, v6.12"""
    __this_cpu_write(hw_vttbr, mmu.vmid.id)


# [New in arch:arm64]
def kvm_vcpu_load_vhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_load_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12

    Omits: __hyp_running_vcpu. Speculative walks may begin as soon as both stages are
    loaded: the worst case is taken, as the flush of last_vcpu_ran has to.
    """
    __vcpu_load_switch_sysregs(vcpu)
    __vcpu_load_activate_traps(vcpu)
    __load_stage2(addr(vcpu.kvm.arch.mmu))
    fill_tlb(vcpu)


# [New in arch:arm64]
def kvm_vcpu_put_vhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12

    Omits: as at load
    """
    __vcpu_put_deactivate_traps(vcpu)
    __vcpu_put_switch_sysregs(vcpu)


# [New in arch:arm64]
def __kvm_flush_cpu_context(mmu: ptr[kvm_s2_mmu]):
    """Drop what this CPU's TLB holds under the VM's VMID.

    Mirrors: __kvm_flush_cpu_context(), arch/arm64/kvm/hyp/vhe/tlb.c, v6.12
    """
    this_cpu(hw_tlb)[mmu - 1] = NULL


# [New in arch:arm64]
def fill_tlb(vcpu: ptr[kvm_vcpu]):
    """Ours: a walk of the vCPU's tables, also a speculative one, leaves its translations here."""
    if this_cpu(hw_tlb)[vcpu.kvm - 1] == NULL:
        this_cpu(hw_tlb)[vcpu.kvm - 1] = vcpu


# [New in arch:arm64]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, fills the TLB, and
    takes interrupts. What memory has of the registers is old, so nobody's.
    """
    vcpu.arch.ctxt.sys_regs = 0
    vcpu.arch.ctxt.fp_regs = 0
    fill_tlb(vcpu)
    guest_takes_irq(vcpu)


# [New in arch:arm64]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Enter the guest, and come back for an interrupt of this CPU or for what the guest did.

    Mirrors: __kvm_vcpu_run(), __kvm_vcpu_run_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v6.12
    Context: IRQs off; one that comes makes the guest exit and is taken later
    Omits: a guest that never uses FP
    """
    with atomic:
        __kvm_adjust_pc(vcpu)
        if __this_cpu_read(fp_owner) != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)
        kvm_reset_cptr_el2(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)
