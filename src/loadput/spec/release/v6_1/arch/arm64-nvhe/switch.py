"""World switch without VHE in v6.1: who owns the FP registers is a field of the vCPU.

Mirrors: arch/arm64/kvm/hyp/nvhe/switch.c, v6.1
"""


# [Modified in release:v6.1]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: __kvm_vcpu_run(), arch/arm64/kvm/hyp/nvhe/switch.c, v6.1; Omits: as in arch:arm64-nvhe"""
    with atomic:
        __sysreg_save_host_state()
        __debug_save_host_buffers_nvhe(vcpu)

        __kvm_adjust_pc(vcpu)

        __sysreg_restore_state_nvhe(addr(vcpu.arch.ctxt))
        __load_stage2(addr(vcpu.kvm.arch.mmu))
        __activate_traps_common(vcpu)

        if vcpu.arch.fp_state != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)

        __sysreg_save_state_nvhe(addr(vcpu.arch.ctxt))
        __deactivate_traps_common(vcpu)
        __load_host_stage2()

        __sysreg_restore_host_state()
        __debug_restore_host_buffers_nvhe(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)
