"""arch/arm64/kvm/arm.c, as it was: the vPE is told, ICH_VMCR_EL2 is not read."""


# [Modified in museum:vgic-vmcr-block]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """The vPE is made non-resident; the guest's mask stays in the CPU."""
    preempt_disable()
    vcpu_set_flag(vcpu, IN_WFI)
    vgic_v4_put(vcpu)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    vcpu_clear_flag(vcpu, IN_WFI)
    vgic_v4_load(vcpu)
    preempt_enable()
