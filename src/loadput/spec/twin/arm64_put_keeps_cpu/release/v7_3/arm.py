# [Modified in twin:arm64_put_keeps_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """vcpu->cpu is not set to -1."""
    kvm_vcpu_put_debug(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()
