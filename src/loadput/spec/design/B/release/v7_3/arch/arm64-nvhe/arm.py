"""Design B without VHE on v7.3, where pKVM may have stage 2: the parameter.

Mirrors: arch/arm64/kvm/arm.c, v7.3, after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v7.3; Omits: as in release:v7.3"""
    mmu = addr(vcpu.kvm.arch.mmu)

    if is_protected_kvm_enabled():
        vmid_is_for_good(addr(mmu.vmid))
    else:
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

    if is_protected_kvm_enabled():
        __pkvm_vcpu_load(vcpu)
        __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
