"""The GICv3's virtual CPU interface: ICH_VMCR_EL2, which the guest changes without an exit.

Mirrors: arch/arm64/kvm/vgic/vgic-v3.c, arch/arm64/kvm/hyp/vgic-v3-sr.c, v6.12. Of ICH_VMCR_EL2
there is the guest's priority mask (PMR), and only where a scenario sets guest_masks.
"""

# The guest masks and unmasks interrupts with ICC_PMR_EL1.
guest_masks = False

PMR_OPEN = 0
PMR_MASKS = 1


class vgic_v3_cpu_if(struct, per="vcpu"):
    vgic_vmcr: upto[1]
    its_vpe: embed[its_vpe]


class vgic_cpu(struct, per="vcpu"):
    vgic_v3: embed[vgic_v3_cpu_if]


class kvm_vcpu_arch(struct):
    vgic_cpu: embed[vgic_cpu]
    # What the guest wrote last.
    pmr: ghost[upto[1]]


hw_vmcr: per_cpu[upto[1]]


# [New in arch:arm64]
def __vgic_v3_save_vmcr_aprs(cpu_if: ptr[vgic_v3_cpu_if]):
    """Mirrors: __vgic_v3_save_vmcr_aprs(), arch/arm64/kvm/hyp/vgic-v3-sr.c, v6.12

    Omits: active priorities; a guest with a GICv2
    """
    if guest_masks:
        cpu_if.vgic_vmcr = this_cpu(hw_vmcr)


# [New in arch:arm64]
def __vgic_v3_restore_vmcr_aprs(cpu_if: ptr[vgic_v3_cpu_if]):
    """Mirrors: __vgic_v3_restore_vmcr_aprs(), arch/arm64/kvm/hyp/vgic-v3-sr.c, v6.12

    Omits: as at save
    """
    if guest_masks:
        this_cpu_write(hw_vmcr, cpu_if.vgic_vmcr)


# [New in arch:arm64]
def vgic_v3_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_load(), arch/arm64/kvm/vgic/vgic-v3.c, v6.12; Omits: traps"""
    __vgic_v3_restore_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))

    vgic_v4_load(vcpu)


# [New in arch:arm64]
def vgic_v3_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v3_put(), arch/arm64/kvm/vgic/vgic-v3.c, v6.12; Omits: traps"""
    __vgic_v3_save_vmcr_aprs(addr(vcpu.arch.vgic_cpu.vgic_v3))
    vgic_v4_put(vcpu)
