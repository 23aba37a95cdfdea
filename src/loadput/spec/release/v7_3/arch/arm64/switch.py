"""World switch with VHE.

Mirrors: arch/arm64/kvm/hyp/vhe/switch.c, v7.3
"""


# [Modified in release:v7.3]
def __kvm_vcpu_run(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Enter the guest, and come back for an interrupt of this CPU or for what the guest did.

    Mirrors: __kvm_vcpu_run(), __kvm_vcpu_run_vhe(), arch/arm64/kvm/hyp/vhe/switch.c, v7.3
    Context: IRQs off; one that comes makes the guest exit and is taken later
    Omits: a guest that never uses FP
    """
    with atomic:
        __kvm_adjust_pc(vcpu)
        if __this_cpu_read(fp_owner) != FP_STATE_GUEST_OWNED:
            kvm_hyp_handle_fpsimd(vcpu)
        guest_runs(vcpu)
        __deactivate_cptr_traps(vcpu)
    return choose(ARM_EXCEPTION_IRQ, ARM_EXCEPTION_TRAP)
