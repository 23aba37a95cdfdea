"""Load under pKVM: stage 2 is the hypervisor's, so the host does not touch it.

Mirrors: arch/arm64/kvm/arm.c, arch/arm64/kvm/hyp/nvhe/pkvm.c, v7.3. Only where a scenario sets pkvm.
"""

# The hypervisor protects itself from the host (kvm-arm.mode=protected); the guest is not protected.
pkvm = False


# [New in release:v7.3]
def is_protected_kvm_enabled() -> bool:
    """Mirrors: is_protected_kvm_enabled(), arch/arm64/include/asm/virt.h, v7.3"""
    return pkvm


# [New in release:v7.3]
def vmid_is_for_good(kvm_vmid: ptr[kvm_vmid]):
    """Ours: the VMID is the VM's slot at the hypervisor: no rollover takes it away while the VM is there.

    Mirrors: init_pkvm_hyp_vm(), arch/arm64/kvm/hyp/nvhe/pkvm.c, v7.3
    """
    __this_cpu_write(active_vmids, VMID_ACTIVE_INVALID + kvm_vmid)


# [Modified in release:v7.3]
def vgic_v3_load(vcpu: ptr[kvm_vcpu]):
    """Under pKVM the load itself has ICH_VMCR_EL2 restored, behind the hypervisor's.

    Mirrors: vgic_v3_load(), arch/arm64/kvm/vgic/vgic-v3.c, v7.3; Omits: traps, a nested vgic
    """
    if not is_protected_kvm_enabled():
        __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vgic_v4_load(vcpu)


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v7.3

    Context: preemption off; IRQs on, rq lock not held
    Omits: as in arch:arm64
    """
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
