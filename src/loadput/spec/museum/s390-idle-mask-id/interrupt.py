"""arch/s390/kvm/interrupt.c, as it was."""


# [New in museum:s390-idle-mask-id]
def has_index_in_idle_mask(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the bit of the vCPU's index in kvm->arch.idle_mask, which is that of the vCPU with that id:
    user space created them the other way round.
    """
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm and v - 1 == NR_VCPUS - vcpu:
            return v.arch.idle
    return False


# [Modified in museum:s390-idle-mask-id]
@irq
def gisa_vcpu_kicker():
    """The vCPU whose index is the first bit set."""
    with atomic:
        assume(gisa)
        vcpu = any_vcpu()
        assume(vcpu.kvm.gisa_ipm and has_index_in_idle_mask(vcpu) and not is_idle_before(vcpu))
        assume(not vcpu.arch.kicked)
        vcpu.arch.kicked = True
    kvm_s390_vcpu_wakeup(vcpu)


# [Modified in museum:s390-idle-mask-id]
def is_idle_before(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: by the bit of the index."""
    for v in each(kvm_vcpu):
        if v == vcpu:
            return False
        if v.kvm == vcpu.kvm and has_index_in_idle_mask(v):
            return True
    return False
