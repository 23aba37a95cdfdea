"""What an emulated instruction leaves for the next entry.

Mirrors: arch/arm64/kvm/hyp/exception.c, arch/arm64/include/asm/kvm_emulate.h, v6.12. Only where a
scenario sets host_spe, whose flag shares a word with this one.
"""


# [New in arch:arm64]
def kvm_incr_pc(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_incr_pc(), arch/arm64/include/asm/kvm_emulate.h, v6.12; Context: preemptible"""
    if host_spe:
        vcpu_set_flag(vcpu, INCREMENT_PC)


# [New in arch:arm64]
def __kvm_adjust_pc(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __kvm_adjust_pc(), arch/arm64/kvm/hyp/exception.c, v6.12

    Context: IRQs off
    Omits: pending exceptions
    """
    if host_spe:
        vcpu_clear_flag(vcpu, INCREMENT_PC)
