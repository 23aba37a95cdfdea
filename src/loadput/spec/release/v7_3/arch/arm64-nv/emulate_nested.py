"""From the guest hypervisor to its guest, and back: put, change the context, load, and a flag by which
both see that it is no more than that.

Mirrors: arch/arm64/kvm/emulate-nested.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_emulate_nested_eret(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_emulate_nested_eret(), arch/arm64/kvm/emulate-nested.c, v7.3

    Omits: pointer authentication; the PMU, after
    """
    preempt_disable()
    vcpu_set_flag(vcpu, IN_NESTED_ERET)
    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = True

    kvm_arch_vcpu_load(vcpu, smp_processor_id())
    vcpu_clear_flag(vcpu, IN_NESTED_ERET)
    preempt_enable()


# [Modified in release:v7.3]
def kvm_inject_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_inject_nested(), arch/arm64/kvm/emulate-nested.c, v7.3; Omits: the PMU, after"""
    preempt_disable()

    vcpu_set_flag(vcpu, IN_NESTED_EXCEPTION)

    __kvm_adjust_pc(vcpu)

    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = False

    __kvm_adjust_pc(vcpu)

    kvm_arch_vcpu_load(vcpu, smp_processor_id())
    vcpu_clear_flag(vcpu, IN_NESTED_EXCEPTION)

    preempt_enable()


# [Modified in release:v7.3]
def loads_again_here(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v7.3, its comment on L1 and L2."""
    return is_nested_transition(vcpu)


# [Modified in release:v7.3]
def handle_trap_exceptions(vcpu: ptr[kvm_vcpu]) -> int:
    """As without; also the guest hypervisor's ERET to its guest, and an exit of that to it.

    Mirrors: handle_trap_exceptions(), kvm_handle_wfx(), kvm_handle_eret(),
    arch/arm64/kvm/handle_exit.c; trap_oslar_el1(), trap_debug_regs(), arch/arm64/kvm/sys_regs.c, v7.3
    """
    if guest_nests and choose():
        if is_hyp_ctxt(vcpu):
            kvm_emulate_nested_eret(vcpu)
        else:
            kvm_inject_nested(vcpu)
        return 1
    if guest_vncr and choose():
        if is_hyp_ctxt(vcpu):
            kvm_handle_s1e2_tlbi(vcpu)
        else:
            kvm_handle_vncr_abort(vcpu)
        return 1
    if vcpu.guest_halts and choose():
        kvm_vcpu_wfi(vcpu)
        kvm_incr_pc(vcpu)
        return 1
    if vcpu.guest_spins and choose():
        kvm_vcpu_on_spin(vcpu, choose())
        kvm_incr_pc(vcpu)
        return 1
    if irq_bypass and choose():
        vgic_mmio_write_cactive(vcpu)
        kvm_incr_pc(vcpu)
        return 1
    if guest_debugs and choose():
        kvm_debug_handle_oslar(vcpu, choose())
        return 1
    if guest_debugs and choose():
        trap_debug_regs(vcpu)
        return 1
    return 0
