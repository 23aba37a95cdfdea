# [Modified in twin:nv_reset_in_l2]
def reset_more(vcpu: ptr[kvm_vcpu]):
    """in_l2 stays."""
    pass
