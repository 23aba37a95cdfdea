# [Modified in twin:nv_vmcr_not_saved]
def vgic_v3_sync_nested(vcpu: ptr[kvm_vcpu]):
    """Nothing."""
    pass
