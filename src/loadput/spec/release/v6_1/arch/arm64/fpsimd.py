"""FP state in v6.1: who owns the registers is a field of the vCPU, and hyp saves the host's lazily.

Mirrors: arch/arm64/kvm/fpsimd.c, v6.1; Omits: SVE but for who may use it, and that only where a
scenario sets host_sve; SME
"""

FP_STATE_HOST_OWNED = 2


class kvm_vcpu_arch(struct):
    fp_state: upto[2]
    # HOST_SVE_ENABLED: the only one of sflags that v6.1 changes here.
    host_sve_enabled: bool


# [Modified in release:v6.1]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_load_fp(), arch/arm64/kvm/fpsimd.c, v6.1"""
    vcpu.arch.fp_state = FP_STATE_HOST_OWNED

    if host_sve:
        vcpu.arch.host_sve_enabled = False
        if __this_cpu_read(hw_zen_el0):
            vcpu.arch.host_sve_enabled = True


# [Modified in release:v6.1]
def kvm_arch_vcpu_ctxflush_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ctxflush_fp(), arch/arm64/kvm/fpsimd.c, v6.1"""
    if current.thread_info.foreign_fpstate:
        vcpu.arch.fp_state = FP_STATE_FREE


# [Modified in release:v6.1]
def kvm_arch_vcpu_ctxsync_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ctxsync_fp(), arch/arm64/kvm/fpsimd.c, v6.1"""
    if vcpu.arch.fp_state == FP_STATE_GUEST_OWNED:
        __this_cpu_write(fpsimd_last_state, vcpu)
        current.thread_info.foreign_fpstate = False


# [Modified in release:v6.1]
def kvm_arch_vcpu_put_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v6.1; IRQs are off throughout

    The code leaves fp_state as it is, for the next load to set; here it is left at the worse value.
    """
    if vcpu.arch.fp_state == FP_STATE_GUEST_OWNED:
        fpsimd_save_and_flush_cpu_state()
    elif host_sve and has_vhe():
        __this_cpu_write(hw_zen_el0, vcpu.arch.host_sve_enabled)
    vcpu.arch.fp_state = FP_STATE_GUEST_OWNED


# [Modified in release:v6.1]
def kvm_hyp_handle_fpsimd(vcpu: ptr[kvm_vcpu]):
    """The guest's first use of FP traps: save the host's state to the task, load the guest's.

    Mirrors: kvm_hyp_handle_fpsimd(), arch/arm64/kvm/hyp/include/hyp/switch.h, v6.1
    """
    if vcpu.arch.fp_state == FP_STATE_HOST_OWNED:
        current.thread.fpsimd_state = __this_cpu_read(hw_fp)

    __this_cpu_write(hw_guest_fp, vcpu.arch.ctxt.fp_regs)
    __this_cpu_write(hw_fp, 0)
    vcpu.arch.fp_state = FP_STATE_GUEST_OWNED
