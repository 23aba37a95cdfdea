"""arch/arm64/kvm/vgic/vgic-v4.c, vgic-v3.c and arm.c, as they were: need_db is an argument."""


# [Modified in museum:vgic4-doorbell-preempt]
def vgic_v4_put(vcpu: ptr[kvm_vcpu], need_db: bool):
    """Who calls says whether the vCPU waits."""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or not vpe.resident:
        return

    its_make_vpe_non_resident(vpe, need_db)


# [Modified in museum:vgic4-doorbell-preempt]
def vgic_v4_load(vcpu: ptr[kvm_vcpu]):
    """Resident again, also in the middle of a wait."""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or vpe.resident:
        return

    its_make_vpe_resident(vpe)


# [Modified in museum:vgic4-doorbell-preempt]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """A put, the scheduler's too, asks for no doorbell."""
    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu, False)


# [Modified in museum:vgic4-doorbell-preempt]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """A wait asks for the doorbell, once."""
    preempt_disable()
    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu, True)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    vgic_v4_load(vcpu)
    preempt_enable()
