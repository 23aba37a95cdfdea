# [Modified in twin:powerpc_exit_stores_nothing]
def kvmhv_vcpu_entry_p9(vcpu: ptr[kvm_vcpu]):
    """As kvmhv_vcpu_entry_p9(), arch/powerpc/kvm/book3s_hv_p9_entry.c, without store_vcpu_state()."""
    if kvmppc_doorbell_pending(vcpu):
        vcpu.arch.doorbell_request = False

    with atomic:
        this_cpu_write(hw_guest_fp, vcpu.arch.fp)
        check_need_tlb_flush(vcpu)
        guest_runs(vcpu)
        this_cpu_write(hw_guest_fp, 0)
