"""FP state: between a guest hypervisor and its guest it stays in the registers.

Mirrors: arch/arm64/kvm/fpsimd.c, arch/arm64/kvm/hyp/include/hyp/switch.h, v7.3
"""


# [New in release:v7.3]
def is_nested_transition(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the test that load and put begin with.

    Mirrors: kvm_arch_vcpu_load_fp(), kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v7.3
    """
    return vcpu_get_flag(vcpu, IN_NESTED_ERET) or vcpu_get_flag(vcpu, IN_NESTED_EXCEPTION)


# [New in release:v7.3]
def host_owns_fp_regs() -> bool:
    """Mirrors: host_owns_fp_regs(), arch/arm64/include/asm/kvm_host.h, v7.3: of hw_fp, not of fp_owner"""
    return __this_cpu_read(hw_fp) != 0


# [Modified in release:v7.3]
def kvm_arch_vcpu_load_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_load_fp(), arch/arm64/kvm/fpsimd.c, v7.3; Omits: pKVM, SME"""
    if is_nested_transition(vcpu):
        WARN_ON_ONCE(host_owns_fp_regs())
        return

    fpsimd_save_and_flush_cpu_state()
    __this_cpu_write(fp_owner, FP_STATE_FREE)


# [Modified in release:v7.3]
def kvm_arch_vcpu_put_fp(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put_fp(), arch/arm64/kvm/fpsimd.c, v7.3; IRQs are off throughout.

    The code leaves fp_owner as it is, for the next load to set; here it is left at the worse value.
    """
    if is_nested_transition(vcpu):
        WARN_ON_ONCE(host_owns_fp_regs())
        return

    if __this_cpu_read(fp_owner) == FP_STATE_GUEST_OWNED:
        fpsimd_save_and_flush_cpu_state()
    __this_cpu_write(fp_owner, FP_STATE_GUEST_OWNED)


# [New in release:v7.3]
def __deactivate_cptr_traps(vcpu: ptr[kvm_vcpu]):
    """With VHE, CPACR_EL1 is the guest's trap control while it runs, and open after, to user mode too:
    whoever returns there binds its own state first, and closes it.

    Mirrors: __deactivate_cptr_traps_vhe(), arch/arm64/kvm/hyp/include/hyp/switch.h, v7.3
    """
    if host_sve:
        __this_cpu_write(hw_zen_el0, True)
