pkvm = True


# [Modified in twin:nvhe_put_keeps_hyp_vcpu]
def __pkvm_vcpu_put():
    """It is synchronized, and stays."""
    with atomic:
        vcpu = this_cpu(loaded_hyp_vcpu)
        if vcpu:
            if not vcpu.arch.pkvm_host_state_dirty:
                sync_hyp_vcpu_state(vcpu)
