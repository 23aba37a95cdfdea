guest_knows_preempt = True


# [Modified in twin:loongarch_put_tells_nobody]
def kvm_vcpu_set_pv_preempted(vcpu: ptr[kvm_vcpu]):
    """Nothing."""
    pass
