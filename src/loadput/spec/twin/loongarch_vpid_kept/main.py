# [Modified in twin:loongarch_vpid_kept]
def kvm_update_vpid(vcpu: ptr[kvm_vcpu]):
    """As kvm_update_vpid(), arch/loongarch/kvm/main.c, with no new VPID."""
    pass
