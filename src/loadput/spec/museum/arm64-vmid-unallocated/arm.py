"""arch/arm64/kvm/arm.c, as it was."""


# The VM has never run: it has no VMID yet.
class kvm_vmid(struct):
    id: token[vmid, vm]
    gen_match: bool


# [Modified in museum:arm64-vmid-unallocated]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """No kvm_arm_vmid_update() before kvm_vcpu_load_vhe()."""
    mmu = addr(vcpu.kvm.arch.mmu)

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)
    kvm_arch_vcpu_load_debug_state_flags(vcpu)


# [Modified in museum:arm64-vmid-unallocated]
def kvm_vgic_flush_hwstate(vcpu: ptr[kvm_vcpu]):
    """The run loop's last step with preemption off and IRQs on, and what follows it."""
    mmu = addr(vcpu.kvm.arch.mmu)
    new = not mmu.vmid.gen_match
    kvm_arm_vmid_update(addr(mmu.vmid))
    if new:
        __load_stage2(mmu)
    vcpu.arch.lr = READ_ONCE(vcpu.irq_pending)
