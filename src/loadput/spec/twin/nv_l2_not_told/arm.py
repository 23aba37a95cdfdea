# [Modified in twin:nv_l2_not_told]
def kvm_nested_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """Nothing."""
    pass
