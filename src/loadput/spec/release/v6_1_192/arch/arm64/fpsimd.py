"""What differs from v6.1: the host's FP state is saved at load.

Mirrors: arch/arm64/kvm/fpsimd.c, v6.1.192, with a backport of Linux commit fbc7e61195e2 ("KVM:
arm64: Unconditionally save+flush host FPSIMD/SVE/SME state") (in v6.14)
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_load_fp(), arch/arm64/kvm/fpsimd.c, v6.1.192"""
    fpsimd_save_and_flush_cpu_state()
    vcpu.arch.fp_state = FP_STATE_FREE


# [Modified in release:v6.1.192]
def kvm_hyp_handle_fpsimd(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_hyp_handle_fpsimd(), arch/arm64/kvm/hyp/include/hyp/switch.h, v6.1.192"""
    __this_cpu_write(hw_guest_fp, vcpu.arch.ctxt.fp_regs)
    __this_cpu_write(hw_fp, 0)
    vcpu.arch.fp_state = FP_STATE_GUEST_OWNED


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_put_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v6.1.192"""
    if vcpu.arch.fp_state == FP_STATE_GUEST_OWNED:
        fpsimd_save_and_flush_cpu_state()
    vcpu.arch.fp_state = FP_STATE_GUEST_OWNED
