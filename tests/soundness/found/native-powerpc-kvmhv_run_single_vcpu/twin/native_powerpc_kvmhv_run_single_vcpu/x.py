"""Drawn: drop."""


# [Modified in twin:native_powerpc_kvmhv_run_single_vcpu]
def kvmhv_run_single_vcpu(vcpu: ptr[kvm_vcpu]) -> between[-1, 127]:
    vcpu.arch.ceded = False
    r = xfer_to_guest_mode_handle_work(vcpu)
    if r:
        return r
    preempt_disable()
    pcpu = smp_processor_id()
    kvmppc_prepare_radix_vcpu(vcpu, pcpu)
    take_ipis()
    vcpu.arch.state = KVMPPC_VCPU_RUNNABLE
    if xfer_to_guest_mode_work_pending() or not kvmppc_may_enter(vcpu):
        kvmppc_leave_guest(vcpu)
        return RESUME_GUEST
    kvmppc_set_vcpu_cpu(vcpu, pcpu)
    kvmppc_core_prepare_to_enter(vcpu)
    kvmppc_update_vpa_dispatch_p9(vcpu)
    guest_state_enter_irqoff()
    trap = kvmhv_p9_guest_entry(vcpu)
    kvmppc_leave_guest(vcpu)
    r = RESUME_GUEST
    if trap:
        r = kvmppc_handle_exit_hv(vcpu)
    if r == RESUME_GUEST and (not kvmppc_vcpu_check_block(vcpu)):
        r = kvmppc_block(vcpu)
    vcpu.arch.ceded = False
    return r
