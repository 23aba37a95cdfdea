guest_vncr = True


# [Modified in twin:nv_vncr_without_retry]
def mmu_invalidate_retry(vcpu: ptr[kvm_vcpu]) -> bool:
    """Never."""
    return False
