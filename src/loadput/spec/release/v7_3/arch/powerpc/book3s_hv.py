"""The task's work is tested as everywhere: before the entry with IRQs on, and once more with IRQs off.

Mirrors: arch/powerpc/kvm/book3s_hv.c, v7.3. Load and put are v6.12's text.
"""


# [Modified in release:v7.3]
def kvmppc_may_enter(vcpu: ptr[kvm_vcpu]) -> bool:
    """The page tables of the VM may not be ready: free.

    Mirrors: kvmhv_run_single_vcpu() where it asks mmu_ready, arch/powerpc/kvm/book3s_hv.c, v7.3
    """
    return choose()


# [Modified in release:v7.3]
def kvmhv_run_single_vcpu(vcpu: ptr[kvm_vcpu]) -> int:
    """Enter the guest once, handle what it comes out for, and wait where it has nothing to do.

    Mirrors: kvmhv_run_single_vcpu(), arch/powerpc/kvm/book3s_hv.c, v7.3
    Omits: nested guests, VPAs, timers
    """
    vcpu.arch.ceded = False

    r = xfer_to_guest_mode_handle_work(vcpu)
    if r:
        return r

    preempt_disable()
    pcpu = smp_processor_id()
    kvmppc_prepare_radix_vcpu(vcpu, pcpu)

    local_irq_disable()
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

    if r == RESUME_GUEST and not kvmppc_vcpu_check_block(vcpu):
        r = kvmppc_block(vcpu)
    vcpu.arch.ceded = False

    return r
