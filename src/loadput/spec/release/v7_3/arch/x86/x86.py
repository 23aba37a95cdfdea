"""The x86 side of a vCPU's load and run in v7.3.

Mirrors: arch/x86/kvm/x86.c, v7.3. The barrier for the branch predictor is issued here, for both
vendors; what it goes by is the vCPU, not its VMCB or VMCS.
"""

# The vCPU that was last loaded on the CPU: nothing but a number to compare with.
last_vcpu: per_cpu[ptr[kvm_vcpu]]


# [New in release:v7.3]
def kvm_request_l1tf_flush_l1d():
    """The next entry on this CPU flushes the L1 data cache. Only VMX reads the flag.

    Mirrors: kvm_request_l1tf_flush_l1d(), arch/x86/kvm/x86.h, v7.3
    """
    pass


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/x86/kvm/x86.c, v7.3

    Context: preemption off, IRQs on
    Omits: WBINVD emulation, TSC offsets and catch-up, the APIC timers, kvmclock; switch_vcpu_ibpb,
    which is on; the request is made for every guest: one that does not use steal time goes round
    once more before it enters, which it may do here or not
    """
    kvm_request_l1tf_flush_l1d()

    if vcpu.scheduled_out and vpmu_in_use:
        vcpu.arch.pmu.need_cleanup = True
        kvm_make_request(KVM_REQ_PMU, vcpu)

    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu != per_cpu(last_vcpu, cpu):
        indirect_branch_prediction_barrier()
        __this_cpu_write(last_vcpu, vcpu)

    vcpu.arch.host_pkru = this_cpu(hw_pkru)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [Modified in release:v7.3]
def kvm_vcpu_exit_request(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_exit_request(), arch/x86/kvm/x86.c, v7.3"""
    return (
        READ_ONCE(vcpu.mode) == EXITING_GUEST_MODE
        or kvm_request_pending(vcpu)
        or xfer_to_guest_mode_work_pending()
    )


# [Modified in release:v7.3]
def xfer_to_guest_mode_handle_work(vcpu: ptr[kvm_vcpu]) -> int:
    """A signal ends KVM_RUN; need_resched, lazy or not, gives the CPU away.

    Mirrors: kvm_xfer_to_guest_mode_handle_work(), include/linux/kvm_host.h;
    xfer_to_guest_mode_handle_work(), xfer_to_guest_mode_work(), kernel/entry/virt.c, v7.3
    Omits: notify-resume work, that it looks again; with preempt=full the preemption that may come
    anywhere here stands for schedule(). The models that x86 has in v7.3, full and lazy, are full
    here: lazy has fewer schedules
    """
    if signal_pending(current):
        return -1
    if preempt_model != PREEMPT_FULL and need_resched():
        schedule()
    return 0
