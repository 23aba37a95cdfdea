# [Modified in twin:riscv_load_forgets_cpu]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """vcpu->cpu stays -1."""
    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)

    kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)
