# [Modified in twin:arm64_no_local_flush]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Another vCPU of the VM may have left its translations in the TLB."""
    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    kvm_vcpu_load_debug(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
