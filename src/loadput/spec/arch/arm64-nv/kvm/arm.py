"""Load and put of a vCPU that may run a guest of its guest.

Mirrors: arch/arm64/kvm/arm.c, v6.12
"""


# [Modified in arch:arm64-nv]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v6.12

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
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
    kvm_arch_vcpu_load_debug_state_flags(vcpu)


# [Modified in arch:arm64-nv]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/arm64/kvm/arm.c, v6.12; Omits: as in arch:arm64"""
    kvm_arch_vcpu_put_debug_state_flags(vcpu)
    kvm_arch_vcpu_put_fp(vcpu)
    if has_vhe():
        kvm_vcpu_put_vhe(vcpu)
    kvm_vgic_put(vcpu)
    kvm_vcpu_put_hw_mmu(vcpu)
    kvm_arm_vmid_clear_active()

    vcpu.cpu = -1
