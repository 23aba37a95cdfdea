"""Direct callers take the helper.

Mirrors: arch/arm64/kvm/emulate-nested.c, v7.3, as the cover letter has it
"""


# [Modified in design:B-inner]
def kvm_emulate_nested_eret(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_emulate_nested_eret(), arch/arm64/kvm/emulate-nested.c, v7.3

    Omits: as in release:v7.3
    """
    preempt_disable()
    vcpu_set_flag(vcpu, IN_NESTED_ERET)
    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = True

    __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    vcpu_clear_flag(vcpu, IN_NESTED_ERET)
    preempt_enable()


# [Modified in design:B-inner]
def kvm_inject_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_inject_nested(), arch/arm64/kvm/emulate-nested.c, v7.3

    Omits: as in release:v7.3
    """
    preempt_disable()

    vcpu_set_flag(vcpu, IN_NESTED_EXCEPTION)

    __kvm_adjust_pc(vcpu)

    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = False

    __kvm_adjust_pc(vcpu)

    __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    vcpu_clear_flag(vcpu, IN_NESTED_EXCEPTION)

    preempt_enable()
