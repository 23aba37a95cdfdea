"""arch/arm64/kvm/arm.c, as it was."""


# [Modified in museum:arm-last-vcpu-tlb]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Another vCPU of the VM may have left its translations in the TLB."""
    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
    kvm_arch_vcpu_load_debug_state_flags(vcpu)
