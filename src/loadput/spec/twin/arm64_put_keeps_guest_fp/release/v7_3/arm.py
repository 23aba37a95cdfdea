# [Modified in twin:arm64_put_keeps_guest_fp]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Nothing tells the host that the registers are not its own."""
    kvm_vcpu_put_debug(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1
