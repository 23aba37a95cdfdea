# [Modified in twin:arm64_load_forgets_cpu]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """vcpu->cpu stays -1."""
    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    kvm_vgic_load(vcpu)
    kvm_vcpu_load_debug(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
