vmids_run_out = True


# [Modified in twin:riscv_hgatp_request_lost]
def kvm_riscv_gstage_vmid_update(vcpu: ptr[kvm_vcpu]):
    """Nobody is asked to load the new VMID."""
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        return
    with atomic:
        if vcpu.kvm.vmid_is_old:
            fresh(vcpu.kvm.hgatp, vcpu.kvm)
            vcpu.kvm.vmid_is_old = False
