"""From the guest hypervisor to its guest, and back: put, change the context, load.

Mirrors: arch/arm64/kvm/emulate-nested.c, v6.12
Omits: what else the exception and the return change
"""


# [New in arch:arm64-nv]
def kvm_emulate_nested_eret(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_emulate_nested_eret(), arch/arm64/kvm/emulate-nested.c, v6.12"""
    preempt_disable()
    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = True

    kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()


# [New in arch:arm64-nv]
def kvm_inject_nested(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_inject_nested(), arch/arm64/kvm/emulate-nested.c, v6.12"""
    preempt_disable()

    __kvm_adjust_pc(vcpu)

    kvm_arch_vcpu_put(vcpu)

    vcpu.arch.in_l2 = False

    __kvm_adjust_pc(vcpu)

    kvm_arch_vcpu_load(vcpu, smp_processor_id())
    preempt_enable()
