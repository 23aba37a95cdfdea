"""Interrupts for the guest, as far as the run loop meets them.

Mirrors: arch/arm64/kvm/vgic/vgic.c, v6.12
Omits: priorities, groups, GICv4; kvm_vgic_load() and kvm_vgic_put(), whose registers are not here
"""


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
    """Mirrors: kvm_vgic_vcpu_pending_irq(), arch/arm64/kvm/vgic/vgic.c, v6.12"""
    return READ_ONCE(vcpu.irq_pending)
