"""What the GIC's virtual interface must keep true on arm64, where a scenario switches it on."""


@property_(
    source="arch/arm64/kvm/arm.c kvm_vcpu_wfi(), v6.12: the latest PMR",
    twin="vgic-vmcr-block",
    where="guest_masks",
)
@at_entry(kvm_vcpu_check_block)
def BLOCK_READS_CURRENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """Whether a vCPU waits is decided with the priority mask that its guest has set last, though
    memory has a copy only.
    """
    return vcpu.arch.vgic_cpu.vgic_v3.vgic_vmcr == vcpu.arch.pmr


@property_(
    source="arch/arm64/kvm/vgic/vgic-v3.c vgic_v3_load(), v6.12",
    twin="arm64_vmcr_not_saved",
    where="guest_masks",
)
@at_entry(guest_runs)
def GUEST_STATE_COHERENT_VMCR(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds its own priority mask in ICH_VMCR_EL2."""
    return this_cpu(hw_vmcr) == guest_pmr(vcpu)


@property_(
    source="arch/arm64/kvm/vgic/vgic-v4.c vgic_v4_load(), v6.12",
    twin="arm64_wfi_keeps_flag",
    where="gicv4",
)
@at_entry(guest_runs)
def VPE_RESIDENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest runs, its vPE is resident on its CPU: its vLPIs reach it. While its own guest
    runs, it is nowhere resident, and a doorbell is asked for, or has come.
    """
    return vpe_reaches(vcpu)


@property_(
    source="drivers/irqchip/irq-gic-v4.c its_make_vpe_resident(), v6.12",
    twin="arm64_put_keeps_vpe",
    where="gicv4",
)
@at_entry(its_vpe_4_1_schedule)
def VPE_EXCLUSIVE(vpe: ptr[its_vpe]) -> bool:
    """A vPE becomes resident where none is, and while it is resident nowhere else."""
    for c in each(cpu):
        if per_cpu(hw_vpendbaser, c) == vpe:
            return False
    return this_cpu(hw_vpendbaser) == NULL
