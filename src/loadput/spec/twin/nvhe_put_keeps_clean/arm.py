pkvm = True


# [Modified in twin:nvhe_put_keeps_clean]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """What the host changes meanwhile is not seen."""
    __pkvm_vcpu_put()

    kvm_vcpu_put_debug(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    kvm_vgic_put(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1
