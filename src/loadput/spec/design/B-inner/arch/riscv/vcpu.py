"""The riscv part of B-inner.

Mirrors: arch/riscv/kvm/vcpu.c, with the call that the cover letter has in words
"""


# [Modified in design:B-inner]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """A direct caller takes the helper.

    Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c; Omits: as in arch:riscv
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    forget_exit_cpu(vcpu)

    reset_registers(vcpu)

    if loaded:
        __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    put_cpu()
