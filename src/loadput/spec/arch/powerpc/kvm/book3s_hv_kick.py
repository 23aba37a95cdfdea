"""Interrupts and doorbells on their way to a vCPU.

Mirrors: arch/powerpc/kvm/book3s_hv.c, v6.12
"""

# A guest sends doorbells to its VM's other vCPUs.
guest_doorbells = False
# A guest calls H_PROD for its VM's other vCPUs.
guest_prods = False


# [New in arch:powerpc]
def kvmppc_ipi_thread(cpu: cpu) -> bool:
    """Mirrors: kvmppc_ipi_thread(), arch/powerpc/kvm/book3s_hv.c, v6.12: msgsnd, on POWER9"""
    smp_mb()
    WRITE_ONCE(per_cpu(ipi_pending, cpu), True)
    return True


# [New in arch:powerpc]
def kvmppc_fast_vcpu_kick_hv(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_fast_vcpu_kick_hv(), arch/powerpc/kvm/book3s_hv.c, v6.12; Omits: statistics"""
    rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))

    cpu = READ_ONCE(vcpu.arch.thread_cpu)
    if cpu >= 0 and kvmppc_ipi_thread(cpu):
        return

    cpu = vcpu.cpu
    if cpu >= 0 and cpu_online(cpu):
        smp_send_reschedule(cpu)


# [Modified in arch:powerpc]
def smp_send_reschedule(cpu: cpu):
    """Mirrors: arch_smp_send_reschedule(), arch/powerpc/kernel/smp.c, v6.12"""
    WRITE_ONCE(per_cpu(ipi_pending, cpu), True)


# [New in arch:powerpc]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, takes the interrupt, or an IPI will bring it out for it."""
    return vcpu.arch.mer or this_cpu(ipi_pending)


# [Modified in arch:powerpc]
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU: post it, and kick.

    Mirrors: icp_deliver_irq(), arch/powerpc/kvm/book3s_xics.c; kvmppc_book3s_queue_irqprio(),
    arch/powerpc/kvm/book3s.c, v6.12
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
    kvmppc_fast_vcpu_kick_hv(vcpu)


# [New in arch:powerpc]
def kvmppc_emulate_doorbell_instr(vcpu: ptr[kvm_vcpu], tvcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_emulate_doorbell_instr() for MSGSNDP, arch/powerpc/kvm/book3s_hv.c, v6.12"""
    if not tvcpu.arch.doorbell_request:
        tvcpu.arch.doorbell_request = True
        kvmppc_fast_vcpu_kick_hv(tvcpu)


# [New in arch:powerpc]
def kvmppc_doorbell_pending(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvmppc_doorbell_pending(), arch/powerpc/kvm/book3s_hv.c, v6.12"""
    return guest_doorbells and vcpu.arch.doorbell_request


# [New in arch:powerpc]
def kvmppc_cede(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_cede(), arch/powerpc/kvm/book3s_hv.c, v6.12"""
    vcpu.arch.ceded = True
    smp_mb()
    if vcpu.arch.prodded:
        vcpu.arch.prodded = False
        smp_mb()
        vcpu.arch.ceded = False


# [New in arch:powerpc]
def kvmppc_h_prod(tvcpu: ptr[kvm_vcpu]):
    """Mirrors: kvmppc_pseries_do_hcall() case H_PROD, arch/powerpc/kvm/book3s_hv.c, v6.12"""
    tvcpu.arch.prodded = True
    smp_mb()
    if tvcpu.arch.ceded:
        kvmppc_fast_vcpu_kick_hv(tvcpu)


# [New in arch:powerpc]
def kvmppc_vcpu_woken(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvmppc_vcpu_woken(), arch/powerpc/kvm/book3s_hv.c, v6.12; Omits: XIVE"""
    return vcpu.irq_pending or vcpu.arch.prodded or kvmppc_doorbell_pending(vcpu)


# [Modified in arch:powerpc]
def is_deliverable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: an interrupt or a doorbell waits that the guest would take if it ran, or an H_PROD."""
    pending = vcpu.irq_pending or vcpu.arch.prodded
    return pending or (guest_doorbells and vcpu.arch.doorbell_request)
