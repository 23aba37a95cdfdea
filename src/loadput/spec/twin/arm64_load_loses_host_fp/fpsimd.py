"""arch/arm64/kvm/fpsimd.c, broken."""


# [Modified in twin:arm64_load_loses_host_fp]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """As kvm_arch_vcpu_load_fp(), without fpsimd_save_and_flush_cpu_state()."""
    __this_cpu_write(fp_owner, FP_STATE_FREE)
