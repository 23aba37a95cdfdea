"""What differs from v6.1: a flag of the vCPU says that it waits.

Mirrors: arch/arm64/kvm/vgic/vgic-v4.c, arch/arm64/kvm/vgic/vgic-v3.c, arch/arm64/kvm/arm.c,
v6.1.192, with a backport of Linux commit b321c31c9b7b ("KVM: arm64: vgic-v4: Make the doorbell
request robust w.r.t preemption")
"""


# [Modified in release:v6.1.192]
def vgic_v4_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v4_put(), arch/arm64/kvm/vgic/vgic-v4.c, v6.1.192"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or not vpe.resident:
        return

    its_make_vpe_non_resident(vpe, vcpu_get_flag(vcpu, IN_WFI))


# [Modified in release:v6.1.192]
def vgic_v4_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v4_load(), arch/arm64/kvm/vgic/vgic-v4.c, v6.1.192"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or vpe.resident:
        return

    if vcpu_get_flag(vcpu, IN_WFI):
        return

    its_make_vpe_resident(vpe)


# [Modified in release:v6.1.192]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put(), arch/arm64/kvm/vgic/vgic-v3.c, v6.1.192; Omits: as in arch:arm64"""
    vgic_v4_put(vcpu)

    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))


# [Modified in release:v6.1.192]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_wfi(), arch/arm64/kvm/arm.c, v6.1.192; Omits: as in arch:arm64"""
    preempt_disable()
    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vcpu_set_flag(vcpu, IN_WFI)
    vgic_v4_put(vcpu)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    vcpu_clear_flag(vcpu, IN_WFI)
    vgic_v4_load(vcpu)
    preempt_enable()
