# [Modified in twin:mips_guestid_kept]
def kvm_vz_get_new_guestid(vcpu: ptr[kvm_vcpu]):
    """As kvm_vz_get_new_guestid(), arch/mips/kvm/vz.c, with no new GuestID."""
    pass
