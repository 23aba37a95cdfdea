# [Modified in twin:nvhe_spe_not_restored]
def __debug_restore_host_buffers_nvhe(vcpu: ptr[kvm_vcpu]):
    """PMSCR_EL1 stays 0."""
    pass
