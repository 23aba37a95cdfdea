"""What to do about an exit of a guest that has a guest.

Mirrors: arch/arm64/kvm/handle_exit.c, v6.12
"""


# [Modified in arch:arm64-nv]
def handle_trap_exceptions(vcpu: ptr[kvm_vcpu]) -> int:
    """As without; also the guest hypervisor's ERET to its guest, and an exit of that to it.

    Mirrors: handle_trap_exceptions(), kvm_handle_wfx(), kvm_handle_eret(),
    arch/arm64/kvm/handle_exit.c, v6.12
    """
    if guest_nests and choose():
        if is_hyp_ctxt(vcpu):
            kvm_emulate_nested_eret(vcpu)
        else:
            kvm_inject_nested(vcpu)
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
    return 0
