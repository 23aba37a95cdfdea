"""arch/x86/kvm/x86.c of v7.3 without indirect_branch_prediction_barrier()."""


# [Modified in twin:no_ibpb]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_arch_vcpu_load(), without the barrier."""
    kvm_request_l1tf_flush_l1d()

    if vcpu.scheduled_out and vpmu_in_use:
        vcpu.arch.pmu.need_cleanup = True
        kvm_make_request(KVM_REQ_PMU, vcpu)

    kvm_x86_vcpu_load(vcpu, cpu)

    if vcpu != per_cpu(last_vcpu, cpu):
        __this_cpu_write(last_vcpu, vcpu)

    vcpu.arch.host_pkru = this_cpu(hw_pkru)

    if vcpu.cpu != cpu:
        vcpu.cpu = cpu

    if vcpu.steal_time:
        kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [Modified in twin:no_ibpb]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As v7.3 has it."""
    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if avic:
        avic_vcpu_load(vcpu, cpu)
