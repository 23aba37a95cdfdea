# [Modified in twin:riscv_load_keeps_hvip]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """HVIP is not restored."""
    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)

    kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu
