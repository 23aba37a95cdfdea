"""GICv4 in v6.1: who puts says whether a doorbell is needed.

Mirrors: arch/arm64/kvm/vgic/vgic-v4.c, arch/arm64/kvm/vgic/vgic-v3.c, arch/arm64/kvm/arm.c, v6.1,
before Linux commit b321c31c9b7b ("KVM: arm64: vgic-v4: Make the doorbell request robust w.r.t
preemption")
"""


# [Modified in release:v6.1]
def vgic_v4_put(vcpu: ptr[kvm_vcpu], need_db: bool):
    """Mirrors: vgic_v4_put(), arch/arm64/kvm/vgic/vgic-v4.c, v6.1"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or not vpe.resident:
        return

    its_make_vpe_non_resident(vpe, need_db)


# [Modified in release:v6.1]
def vgic_v4_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v4_load(), arch/arm64/kvm/vgic/vgic-v4.c, v6.1"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or vpe.resident:
        return

    its_make_vpe_resident(vpe)


# [Modified in release:v6.1]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put(), arch/arm64/kvm/vgic/vgic-v3.c, v6.1; Omits: as in arch:arm64"""
    vgic_v4_put(vcpu, False)

    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))


# [Modified in release:v6.1]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_wfi(), arch/arm64/kvm/arm.c, v6.1; Omits: as in arch:arm64"""
    preempt_disable()
    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu, True)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    vgic_v4_load(vcpu)
    preempt_enable()
