"""arch/x86/kvm/x86.c of v7.3, broken."""


# [Modified in twin:mode_without_barrier]
def vcpu_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """As vcpu_enter_guest(), without the barrier behind IN_GUEST_MODE."""
    if kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu):
        record_steal_time(vcpu)
    if kvm_check_request(KVM_REQ_PMU, vcpu):
        kvm_pmu_handle_event(vcpu)
    if kvm_check_request(KVM_REQ_EVENT, vcpu):
        kvm_check_and_inject_events(vcpu)

    preempt_disable()

    kvm_x86_prepare_switch_to_guest(vcpu)

    local_irq_disable()

    smp_store_release(vcpu.mode, IN_GUEST_MODE)

    kvm_x86_sync_pir_to_irr(vcpu)

    if kvm_vcpu_exit_request(vcpu):
        vcpu.mode = OUTSIDE_GUEST_MODE
        smp_wmb()
        local_irq_enable()
        preempt_enable()
        return 1

    kvm_load_xfeatures(vcpu, True)
    snapshot_host_debugctl(vcpu)
    kvm_mediated_pmu_load(vcpu)
    kvm_load_guest_pkru(vcpu)
    kvm_x86_vcpu_run(vcpu)

    kvm_load_host_pkru(vcpu)
    kvm_mediated_pmu_put(vcpu)

    vcpu.mode = OUTSIDE_GUEST_MODE
    smp_wmb()

    kvm_load_xfeatures(vcpu, False)
    kvm_x86_handle_exit_irqoff(vcpu)
    note_that_guest_ran()

    local_irq_enable()
    local_irq_disable()

    local_irq_enable()
    preempt_enable()

    if proxy_exec and choose():
        pit_ioport_write(vcpu)
        return 1

    return kvm_x86_handle_exit(vcpu)
