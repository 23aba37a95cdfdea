guest_vncr = True


# [Modified in twin:nv_put_keeps_vncr]
def this_cpu_reset_vncr_fixmap(vcpu: ptr[kvm_vcpu]):
    """Whoever has taken vncr_cpu clears the fixmap, some day."""
    if not guest_vncr:
        return
    if not this_cpu(l1_vncr_mapped):
        return

    WARN_ON(is_hyp_ctxt(vcpu))

    unmap_l1_vncr(vcpu)
    this_cpu_write(l1_vncr_mapped, False)
