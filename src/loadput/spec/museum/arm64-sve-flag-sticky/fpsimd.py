"""arch/arm64/kvm/fpsimd.c, as it was."""


# [Modified in museum:arm64-sve-flag-sticky]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """The flag is set, and stays."""
    vcpu.arch.fp_state = FP_STATE_HOST_OWNED

    if host_sve:
        if __this_cpu_read(hw_zen_el0):
            vcpu.arch.host_sve_enabled = True
