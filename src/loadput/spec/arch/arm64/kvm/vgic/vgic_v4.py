"""Interrupts that a device gives to the guest without the host: GICv4.1.

Mirrors: arch/arm64/kvm/vgic/vgic-v4.c, drivers/irqchip/irq-gic-v4.c, drivers/irqchip/irq-gic-v3-its.c,
v6.12. Only where a scenario sets gicv4. While a vCPU's vPE is resident on a CPU, that CPU takes its
vLPIs in the guest; while it is nowhere resident, they stay in a table in memory, and a doorbell
tells the host of the first one, if it was asked for.
Omits: GICv4.0; vSGIs; VMOVP, which moves the doorbell to the CPU of the load: here any CPU that
devices interrupt takes it
"""

# A device of the VM is assigned, and its MSIs are vLPIs.
gicv4 = False


class its_vpe(struct, per="vcpu"):
    resident: bool
    pending_last: bool
    # The hardware's own: the virtual pending table, the doorbell that was asked for, and the
    # doorbell interrupt on its way.
    vlpi_pending: bool
    doorbell: bool
    doorbell_irq: bool


# GICR_VPENDBASER: the vPE that is resident on the CPU.
hw_vpendbaser: per_cpu[ptr[its_vpe]]


# [New in arch:arm64]
def its_vpe_4_1_schedule(vpe: ptr[its_vpe]):
    """Mirrors: its_vpe_4_1_schedule(), drivers/irqchip/irq-gic-v3-its.c, v6.12"""
    with atomic:
        this_cpu_write(hw_vpendbaser, vpe)
        vpe.doorbell = False


# [New in arch:arm64]
def its_vpe_4_1_deschedule(vpe: ptr[its_vpe], req_db: bool):
    """Mirrors: its_vpe_4_1_deschedule(), drivers/irqchip/irq-gic-v3-its.c, v6.12

    One step, as vpe_lock makes it: a doorbell comes for what becomes pending after it.
    """
    with atomic:
        this_cpu_write(hw_vpendbaser, NULL)
        if req_db:
            vpe.pending_last = vpe.vlpi_pending
            vpe.doorbell = not vpe.vlpi_pending
        else:
            vpe.pending_last = True


# [New in arch:arm64]
def its_make_vpe_resident(vpe: ptr[its_vpe]):
    """Mirrors: its_make_vpe_resident(), drivers/irqchip/irq-gic-v4.c, v6.12; Omits: errors"""
    WARN_ON(preempt_count() == 0 and not irqs_disabled())
    its_vpe_4_1_schedule(vpe)
    vpe.resident = True


# [New in arch:arm64]
def its_make_vpe_non_resident(vpe: ptr[its_vpe], db: bool):
    """Mirrors: its_make_vpe_non_resident(), drivers/irqchip/irq-gic-v4.c, v6.12; Omits: errors, ready"""
    WARN_ON(preempt_count() == 0 and not irqs_disabled())
    its_vpe_4_1_deschedule(vpe, db)
    vpe.resident = False


# [New in arch:arm64]
def vgic_supports_direct_msis(kvm: ptr[kvm]) -> bool:
    """Mirrors: vgic_supports_direct_msis(), arch/arm64/kvm/vgic/vgic-mmio-v3.c, v6.12"""
    return gicv4


# [New in arch:arm64]
def vgic_v4_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vgic_v4_put(), arch/arm64/kvm/vgic/vgic-v4.c, v6.12"""
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or not vpe.resident:
        return

    its_make_vpe_non_resident(vpe, vcpu_get_flag(vcpu, IN_WFI))


# [New in arch:arm64]
def vgic_v4_load(vcpu: ptr[kvm_vcpu]):
    """Not while the vCPU waits for an interrupt: the doorbell that was asked for must stay.

    Mirrors: vgic_v4_load(), arch/arm64/kvm/vgic/vgic-v4.c, v6.12
    """
    vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)

    if not vgic_supports_direct_msis(vcpu.kvm) or vpe.resident:
        return

    if vcpu_get_flag(vcpu, IN_WFI):
        return

    its_make_vpe_resident(vpe)


# [New in arch:arm64]
@irq
def vgic_v4_doorbell_handler():
    """A vLPI has come for a vPE that is nowhere resident.

    Mirrors: vgic_v4_doorbell_handler(), arch/arm64/kvm/vgic/vgic-v4.c, v6.12
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)
        assume(vpe.doorbell_irq)
        vpe.doorbell_irq = False
        vpe.pending_last = True

        kvm_make_request(KVM_REQ_IRQ_PENDING, vcpu)
    kvm_vcpu_kick(vcpu)


# [New in arch:arm64]
@irq
@env
def vlpi_arrives():
    """Ours: a device's MSI becomes a pending vLPI: no CPU sees it but one that has the vPE resident,
    or else the one that takes the doorbell.
    """
    with atomic:
        assume(gicv4)
        vcpu = choose_vcpu()
        vpe = addr(vcpu.arch.vgic_cpu.vgic_v3.its_vpe)
        assume(vcpu.device_irqs and not vpe.vlpi_pending)
        vpe.vlpi_pending = True
        if vpe.doorbell:
            vpe.doorbell = False
            vpe.doorbell_irq = True
