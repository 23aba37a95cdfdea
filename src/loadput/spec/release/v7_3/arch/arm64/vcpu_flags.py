"""Flags of a vCPU: but for pKVM, nothing that a load or put writes shares a word with INCREMENT_PC.

Mirrors: struct kvm_vcpu_arch, arch/arm64/include/asm/kvm_host.h, v7.3. sflags' IN_NESTED_ERET and
IN_NESTED_EXCEPTION are a field of their own here.
Omits: INCREMENT_PC; PKVM_HOST_STATE_DIRTY, in its word, which pkvm.py has as a field; HOST_ and GUEST_SS_ACTIVE_PENDING, of load and put
"""

IN_NESTED_ERET = 1
IN_NESTED_EXCEPTION = 2


class kvm_vcpu_arch(struct):
    nested_flags: upto[3]


# [Modified in release:v7.3]
def vcpu_get_flag(v: ptr[kvm_vcpu], f: upto[4]) -> bool:
    """Mirrors: __vcpu_get_flag(), arch/arm64/include/asm/kvm_host.h, v7.3"""
    if f == IN_WFI:
        return READ_ONCE(v.arch.sflags) != 0
    return (READ_ONCE(v.arch.nested_flags) & f) != 0


# [Modified in release:v7.3]
def vcpu_set_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Preemption is off, as load and put change these words too.

    Mirrors: __vcpu_set_flag(), arch/arm64/include/asm/kvm_host.h, v7.3
    """
    preempt_disable()
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags | f
    else:
        v.arch.nested_flags = v.arch.nested_flags | f
    preempt_enable()


# [Modified in release:v7.3]
def vcpu_clear_flag(v: ptr[kvm_vcpu], f: upto[4]):
    """Mirrors: __vcpu_clear_flag(), arch/arm64/include/asm/kvm_host.h, v7.3"""
    preempt_disable()
    if f == IN_WFI:
        v.arch.sflags = v.arch.sflags & ~f
    else:
        v.arch.nested_flags = v.arch.nested_flags & ~f
    preempt_enable()


# [Modified in release:v7.3]
def kvm_incr_pc(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_incr_pc(), arch/arm64/include/asm/kvm_emulate.h, v7.3: no load or put without pKVM has its word"""
    pass


# [Modified in release:v7.3]
def __kvm_adjust_pc(vcpu: ptr[kvm_vcpu]):
    """Mirrors: __kvm_adjust_pc(), arch/arm64/kvm/hyp/exception.c, v7.3: as kvm_incr_pc()"""
    pass
