"""The arm64 part of B-inner.

Mirrors: arch/arm64/kvm/reset.c, with the call that the cover letter has in words
"""


# [Modified in design:B-inner]
def kvm_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """A direct caller takes the helper.

    Mirrors: kvm_reset_vcpu(), arch/arm64/kvm/reset.c; Omits: as in arch:arm64
    """
    preempt_disable()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    kvm_reset_sys_regs(vcpu)

    if loaded:
        __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()
