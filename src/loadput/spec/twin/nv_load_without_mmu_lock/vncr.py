guest_vncr = True


# [Modified in twin:nv_load_without_mmu_lock]
def kvm_vcpu_load_hw_mmu(vcpu: ptr[kvm_vcpu]):
    """Whoever has the lock."""
    if is_hyp_ctxt(vcpu):
        if vcpu.arch.hw_mmu == NO_MMU:
            vcpu.arch.hw_mmu = CANONICAL_MMU
    else:
        if vcpu.arch.hw_mmu == NO_MMU:
            with atomic:
                vcpu.arch.hw_mmu = get_s2_mmu_nested(vcpu)
        kvm_make_request(KVM_REQ_MAP_L1_VNCR_EL2, vcpu)
