"""What to do about an exit.

Mirrors: arch/arm64/kvm/handle_exit.c, v6.12
"""


# [New in arch:arm64]
def handle_exit(vcpu: ptr[kvm_vcpu], exception_index: upto[1]) -> int:
    """Positive: enter again; 0: back to user space.

    Mirrors: handle_exit(), arch/arm64/kvm/handle_exit.c, v6.12; Omits: SError, errors
    """
    if exception_index == ARM_EXCEPTION_IRQ:
        return 1
    return handle_trap_exceptions(vcpu)


# [New in arch:arm64]
def handle_trap_exceptions(vcpu: ptr[kvm_vcpu]) -> int:
    """WFI, WFE, or what only user space can do; which one is free.

    Mirrors: handle_trap_exceptions(), kvm_handle_wfx(), arch/arm64/kvm/handle_exit.c, v6.12
    """
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
