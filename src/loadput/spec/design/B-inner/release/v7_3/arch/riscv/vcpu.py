"""The riscv part of B-inner on v7.3.

Mirrors: arch/riscv/kvm/vcpu.c, v7.3, with the call that the cover letter has in words
"""


# [Modified in design:B-inner]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """A direct caller takes the helper.

    Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v7.3
    Omits: as in release:v7.2
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    vcpu.arch.last_exit_cpu = -1

    reset_registers(vcpu)

    if loaded:
        __kvm_arch_vcpu_load(vcpu, smp_processor_id())
    put_cpu()
