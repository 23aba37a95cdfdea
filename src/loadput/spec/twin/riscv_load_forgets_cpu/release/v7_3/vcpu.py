# [Modified in twin:riscv_load_forgets_cpu]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """vcpu->cpu stays -1."""
    if vcpu != __this_cpu_read(kvm_former_vcpu):
        __this_cpu_write(kvm_former_vcpu, vcpu)
        restore_csrs(vcpu)
    elif vcpu.arch.last_exit_cpu == cpu and not vcpu.arch.csr_dirty:
        csr_restore_is_skipped(vcpu)
    else:
        restore_csrs(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)
    vector_load()

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)
