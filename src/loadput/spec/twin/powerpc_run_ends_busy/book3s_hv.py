# [Modified in twin:powerpc_run_ends_busy]
def kvmppc_vcpu_run_hv(vcpu: ptr[kvm_vcpu]):
    """As kvmppc_vcpu_run_hv(), arch/powerpc/kvm/book3s_hv.c, without KVMPPC_VCPU_NOTREADY."""
    if signal_pending(current):
        return

    kvmppc_save_user_regs()

    vcpu.arch.state = KVMPPC_VCPU_BUSY_IN_HOST

    r = RESUME_GUEST
    while r == RESUME_GUEST:
        r = kvmhv_run_single_vcpu(vcpu)
