"""Flags of a vCPU, several in a word, so that to set one is to read and write the others.

Mirrors: struct kvm_vcpu_arch, arch/arm64/include/asm/kvm_host.h, v6.12; DEBUG_STATE_SAVE_SPE stands
for DEBUG_STATE_SAVE_TRBE too
Omits: flags that nothing here reads; cflags
"""

# iflags.
INCREMENT_PC = 1
DEBUG_STATE_SAVE_SPE = 2
# sflags.
IN_WFI = 4


class kvm_vcpu_arch(struct):
    iflags: upto[3]
    sflags: upto[4]


# [New in arch:arm64]
def vcpu_get_flag(v: ptr[kvm_vcpu], f: upto[4]) -> bool:
    """Mirrors: __vcpu_get_flag(), arch/arm64/include/asm/kvm_host.h, v6.12"""
    if f == IN_WFI:
        return READ_ONCE(v.arch.sflags) != 0
    return (READ_ONCE(v.arch.iflags) & f) != 0


# [New in arch:arm64]
def vcpu_set_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Preemption is off, as load and put change these words too.

    Mirrors: __vcpu_set_flag(), arch/arm64/include/asm/kvm_host.h, v6.12
    """
    preempt_disable()
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags | f
    else:
        v.arch.iflags = v.arch.iflags | f
    preempt_enable()


# [New in arch:arm64]
def vcpu_clear_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Mirrors: __vcpu_clear_flag(), arch/arm64/include/asm/kvm_host.h, v6.12"""
    preempt_disable()
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags & ~f
    else:
        v.arch.iflags = v.arch.iflags & ~f
    preempt_enable()
