# [Modified in twin:riscv_put_keeps_cpu]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """vcpu->cpu is not set to -1."""
    kvm_riscv_vcpu_guest_fp_save(vcpu)
    kvm_riscv_vcpu_host_fp_restore(vcpu)

    kvm_riscv_vcpu_timer_save(vcpu)

    vcpu.arch.guest_csr = __this_cpu_read(hw_vs_csr)
    vcpu.arch.hvip = __this_cpu_read(hw_hvip)
