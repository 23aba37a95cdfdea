"""Load, put and the run loop of a vCPU that may run a guest of its guest.

Mirrors: arch/arm64/kvm/arm.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v7.3

    Omits: as in arch:arm64; that VMID and last_vcpu_ran are those of arch.hw_mmu: here they are the
    canonical MMU's in the nested guest too
    """
    kvm_vcpu_load_hw_mmu(vcpu)

    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    kvm_vcpu_load_debug(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)


# [Modified in release:v7.3]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v7.3; Omits: as in arch:arm64"""
    kvm_vcpu_put_debug(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_vcpu_put_hw_mmu(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1
