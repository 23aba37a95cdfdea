vmids_run_out = True


# [Modified in twin:riscv_hgatp_request_lost]
def kvm_riscv_gstage_vmid_update(vcpu: ptr[kvm_vcpu]):
    """Nobody is asked to load the new VMID."""
    if not kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        return

    lock_vmids()
    if kvm_riscv_gstage_vmid_ver_changed(vcpu.kvm):
        with atomic:
            fresh(vcpu.kvm.hgatp, vcpu.kvm)
        WRITE_ONCE(vcpu.kvm.vmid_is_old, False)
    unlock_vmids()
