"""The x86 part of design A on v7.3, whose load issues the barrier for the branch predictor itself.

Mirrors: arch/x86/kvm/x86.c, v7.3, with the design's part of v6.1
"""


# [Modified in design:A]
def kvm_arch_sched_in(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_sched_in(), arch/x86/kvm/x86.c, v6.1, with the flag of v7.3"""
    kvm_request_l1tf_flush_l1d()

    if vpmu_in_use:
        vcpu.arch.pmu.need_cleanup = True
        kvm_make_request(KVM_REQ_PMU, vcpu)

    kvm_x86_sched_in(vcpu, cpu)


# [Modified in design:A]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/x86/kvm/x86.c, v7.3, without what the hook does

    Omits: WBINVD emulation, TSC offsets and catch-up, the APIC timers, kvmclock; switch_vcpu_ibpb,
    which is on
    """
    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu != per_cpu(last_vcpu, cpu):
        indirect_branch_prediction_barrier()
        __this_cpu_write(last_vcpu, vcpu)

    vcpu.arch.host_pkru = this_cpu(hw_pkru)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [Modified in design:A]
def vcpu_run(vcpu: ptr[kvm_vcpu]) -> int:
    """The L1D flag, which v7.3 keeps with the CPU, is asked for here, and by the hook wherever the task
    goes on.

    Mirrors: vcpu_run(), arch/x86/kvm/x86.c, v6.1 and v7.3
    Omits: timers; the interrupt window; the test that there is work at all, which is free
    """
    kvm_request_l1tf_flush_l1d()

    while True:
        vcpu.arch.at_instruction_boundary = False
        if kvm_vcpu_running(vcpu):
            r = vcpu_enter_guest(vcpu)
        else:
            r = vcpu_block(vcpu)

        if r <= 0:
            break

        kvm_clear_request(KVM_REQ_UNBLOCK, vcpu)

        r = xfer_to_guest_mode_handle_work(vcpu)
        if r:
            return r

    return r
