# [Modified in twin:arm64_wfi_keeps_flag]
def kvm_vcpu_wfi(vcpu: ptr[kvm_vcpu]):
    """IN_WFI stays set."""
    preempt_disable()
    vcpu_set_flag(vcpu, IN_WFI)
    kvm_vgic_put(vcpu)
    preempt_enable()

    kvm_vcpu_halt(vcpu)

    preempt_disable()
    kvm_vgic_load(vcpu)
    preempt_enable()
