"""Interrupts for the guest, as far as load, put and the run loop meet them.

Mirrors: arch/arm64/kvm/vgic/vgic.c, v6.12
Omits: priorities but for the guest's mask, groups; GICv2, a GIC in user space; list registers
(kvm_vgic_flush_hwstate(), kvm_vgic_sync_hwstate()): what is pending goes to the guest in one step
"""


# [New in arch:arm64]
def kvm_vgic_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_load(), arch/arm64/kvm/vgic/vgic.c, v6.12; Context: preemption off"""
    vgic_v3_load(vcpu)


# [New in arch:arm64]
def kvm_vgic_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_put(), arch/arm64/kvm/vgic/vgic.c, v6.12; Context: preemption off"""
    vgic_v3_put(vcpu)


# [New in arch:arm64]
def kvm_vgic_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_flush_hwstate(), arch/arm64/kvm/vgic/vgic.c, v6.12

    Context: IRQs off
    """
    vcpu.arch.lr = READ_ONCE(vcpu.irq_pending)


# [New in arch:arm64]
def kvm_vgic_sync_hwstate(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vgic_sync_hwstate(), arch/arm64/kvm/vgic/vgic.c, v6.12"""
    vcpu.arch.lr = False


# [New in arch:arm64]
def kvm_vgic_vcpu_pending_irq(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vgic_vcpu_pending_irq(), arch/arm64/kvm/vgic/vgic.c, v6.12

    Omits: the lock of the list
    """
    if vcpu.arch.vgic_cpu.vgic_v3.its_vpe.pending_last:
        return True

    vmcr = vcpu.arch.vgic_cpu.vgic_v3.vgic_vmcr

    return READ_ONCE(vcpu.irq_pending) and vmcr != PMR_MASKS


# [New in arch:arm64]
def guest_takes_irq(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest takes what its list register and its vPE have, unless its PMR masks it; then
    it may write its PMR, ICC_PMR_EL1, without an exit.
    """
    if this_cpu(hw_vmcr) != PMR_MASKS:
        if vcpu.arch.lr:
            vcpu.arch.lr = False
            vcpu.irq_pending = False
        if this_cpu(hw_vpendbaser) == addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe):
            vcpu.arch.vgic_cpu.vgic_v3.its_vpe.vlpi_pending = False
    if guest_masks:
        this_cpu_write(hw_vmcr, choose(PMR_OPEN, PMR_MASKS))
        guest_writes_pmr(vcpu)


# [New in arch:arm64]
def guest_writes_pmr(vcpu: ptr[kvm_vcpu]):
    """Ours: what it has written is its mask."""
    vcpu.arch.pmr = this_cpu(hw_vmcr)


# [New in arch:arm64]
def guest_pmr(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Ours: the mask that the guest has set last."""
    return vcpu.arch.pmr


# [Modified in arch:arm64]
def is_deliverable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: from the list of pending interrupts or the vPE's own, and the guest's PMR lets it in."""
    pending = vcpu.irq_pending or vcpu.arch.vgic_cpu.vgic_v3.its_vpe.vlpi_pending
    return pending and vcpu.arch.pmr != PMR_MASKS


# [New in arch:arm64]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, has the interrupt in a list register, or a kick's IPI brings it
    out for it.
    """
    return vcpu.arch.lr or vcpu.mode == EXITING_GUEST_MODE


# [New in arch:arm64]
def vpe_reaches(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: a vLPI comes to the guest, which is about to run here, or to the host, which then stops it."""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)
    return vpe.resident and this_cpu(hw_vpendbaser) == vpe
