"""FP state between the host's tasks and the guest.

Mirrors: arch/arm64/kvm/fpsimd.c, v6.12.y, where Linux commit fbc7e61195e2 ("KVM: arm64:
Unconditionally save+flush host FPSIMD/SVE/SME state") (in v6.14) is backported
"""


# [New in arch:arm64]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """The host's state is saved and unbound; the guest's is loaded when it traps.

    Mirrors: kvm_arch_vcpu_load_fp(), arch/arm64/kvm/fpsimd.c, v6.12.y; Omits: pKVM
    """
    fpsimd_save_and_flush_cpu_state()
    __this_cpu_write(fp_owner, FP_STATE_FREE)


# [New in arch:arm64]
def kvm_arch_vcpu_ctxflush_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ctxflush_fp(), arch/arm64/kvm/fpsimd.c, v6.12.y

    Context: just before entry, IRQs off
    """
    if current.thread_info.foreign_fpstate:
        __this_cpu_write(fp_owner, FP_STATE_FREE)


# [New in arch:arm64]
def kvm_arch_vcpu_ctxsync_fp(vcpu: ptr[kvm_vcpu]):
    """Bind the guest's state to this CPU, so that whoever takes the registers saves it.

    Mirrors: kvm_arch_vcpu_ctxsync_fp(), arch/arm64/kvm/fpsimd.c, v6.12.y
    Context: just after exit, IRQs off
    """
    if __this_cpu_read(fp_owner) == FP_STATE_GUEST_OWNED:
        __this_cpu_write(fpsimd_last_state, vcpu)
        current.thread_info.foreign_fpstate = False


# [New in arch:arm64]
def kvm_arch_vcpu_put_fp(vcpu: ptr[kvm_vcpu]):
    """Write the guest's state back and invalidate the registers.

    Mirrors: kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v6.12.y; IRQs are off throughout. The
    code leaves fp_owner as it is, for the next load to set; here it is left at the worse value.
    """
    if __this_cpu_read(fp_owner) == FP_STATE_GUEST_OWNED:
        fpsimd_save_and_flush_cpu_state()
    __this_cpu_write(fp_owner, FP_STATE_GUEST_OWNED)


# [New in arch:arm64]
def kvm_hyp_handle_fpsimd(vcpu: ptr[kvm_vcpu]):
    """The guest's first use of FP since load traps: load its state.

    Mirrors: kvm_hyp_handle_fpsimd(), arch/arm64/kvm/hyp/include/hyp/switch.h, v6.12.y
    """
    __this_cpu_write(hw_guest_fp, vcpu.arch.ctxt.fp_regs)
    __this_cpu_write(hw_fp, 0)
    __this_cpu_write(fp_owner, FP_STATE_GUEST_OWNED)
