"""World switch with VHE in v6.1: stage 2 is loaded at every entry.

Mirrors: arch/arm64/kvm/hyp/vhe/switch.c, arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.1
"""


# [New in release:v6.1]
def kvm_vcpu_load_sysregs_vhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_load_sysregs_vhe(), arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.1

    Omits: traps. Speculative walks may begin at any time: the worst case is taken.
    """
    __this_cpu_write(host_ctxt_tpidr, __this_cpu_read(hw_tpidr))

    __this_cpu_write(hw_tpidr, 0)
    __this_cpu_write(hw_el1, vcpu.arch.ctxt.sys_regs)
    fill_tlb(vcpu)


# [New in release:v6.1]
def kvm_vcpu_put_sysregs_vhe(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_put_sysregs_vhe(), arch/arm64/kvm/hyp/vhe/sysreg-sr.c, v6.1

    Omits: traps. What stays in the EL1 registers and in the host context is not looked at again; it
    is forgotten.
    """
    vcpu.arch.ctxt.sys_regs = __this_cpu_read(hw_el1)
    __this_cpu_write(hw_el1, 0)

    __this_cpu_write(hw_tpidr, __this_cpu_read(host_ctxt_tpidr))
    __this_cpu_write(host_ctxt_tpidr, 0)


# [Modified in release:v6.1]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Load stage 2, enter the guest, and come back.

    Mirrors: __kvm_vcpu_run(), __kvm_vcpu_run_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v6.1
    Omits: as in arch:arm64
    """
    __load_stage2(addr(vcpu.kvm.arch.mmu))

    with atomic:
        __kvm_adjust_pc(vcpu)
        if vcpu.arch.fp_state != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)
        kvm_reset_cptr_el2(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)
