"""AVIC: the hardware delivers an interrupt to a guest that runs, and finds it by a table.

Mirrors: arch/x86/kvm/svm/avic.c, v6.12. The virtual IRR is ``irq_pending``; VMRUN looks at it, and
in the guest a doorbell makes the CPU look again. A vCPU's entry in the table of physical APIC ids is
one word. Only where a scenario sets avic.
"""

# The module's avic: the hardware delivers interrupts to a guest that runs.
avic = False
# The CPUs at which IPIs of vCPUs that run elsewhere are shown, a bit each.
avic_ipi_cpus: setting[cpu_mask] = 1


class avic_physical_id_entry(struct, per="vcpu"):
    is_running: bool
    host_physical_id: cpu = 0


class vcpu_svm(struct):
    avic_physical_id_cache: embed[avic_physical_id_entry]


class avic_cpu(struct, per="cpu"):
    # On its way to the CPU.
    doorbell: bool


hw_avic: per_cpu[avic_cpu]


# [New in arch:svm]
def avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: avic_vcpu_load(), arch/x86/kvm/svm/avic.c, v6.12

    Context: preemption off
    Omits: the IOMMU's own copy of the entry
    """
    if kvm_vcpu_is_blocking(vcpu):
        return

    local_irq_save(flags)
    entry = addr(to_svm(vcpu).avic_physical_id_cache)
    WARN_ON_ONCE(READ_ONCE(entry.is_running))
    with atomic:
        entry.host_physical_id = cpu
        entry.is_running = True
    local_irq_restore(flags)


# [New in arch:svm]
def avic_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_put(), arch/x86/kvm/svm/avic.c, v6.12; Omits: as avic_vcpu_load()

    The CPU in an entry that is not running means nothing; it is forgotten here.
    """
    entry = addr(to_svm(vcpu).avic_physical_id_cache)
    if not READ_ONCE(entry.is_running):
        return

    with atomic:
        entry.is_running = False
        entry.host_physical_id = 0


# [New in arch:svm]
def avic_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_blocking(), arch/x86/kvm/svm/avic.c, v6.12"""
    avic_vcpu_put(vcpu)


# [New in arch:svm]
def avic_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_unblocking(), arch/x86/kvm/svm/avic.c, v6.12"""
    avic_vcpu_load(vcpu, vcpu.cpu)


# [Modified in arch:svm]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/x86/include/asm/kvm_host.h, v6.12"""
    if avic:
        avic_vcpu_blocking(vcpu)


# [Modified in arch:svm]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/x86/include/asm/kvm_host.h, v6.12"""
    if avic:
        avic_vcpu_unblocking(vcpu)


# [New in arch:svm]
def avic_ring_doorbell(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_ring_doorbell(), arch/x86/kvm/svm/avic.c, v6.12"""
    cpu = READ_ONCE(vcpu.cpu)

    me = get_cpu()
    if cpu != me:
        per_cpu_ptr(addr(hw_avic), cpu).doorbell = True
    put_cpu()


# [New in arch:svm]
def svm_complete_interrupt_delivery(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_complete_interrupt_delivery(), arch/x86/kvm/svm/svm.c, v6.12, with AVIC"""
    in_guest_mode = smp_load_acquire(vcpu.mode) == IN_GUEST_MODE

    if in_guest_mode:
        avic_ring_doorbell(vcpu)
    else:
        kvm_vcpu_wake_up(vcpu)


# [New in arch:svm]
def kvm_lapic_set_irr(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_lapic_set_irr(), arch/x86/kvm/lapic.h, v6.12; the hardware does it for an IPI"""
    vcpu.irq_pending = True


# [Modified in arch:svm]
@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU, where KVM delivers it.

    Mirrors: irqfd_wakeup(), virt/kvm/eventfd.c; kvm_set_msi(), arch/x86/kvm/irq_comm.c;
    __apic_accept_irq(), arch/x86/kvm/lapic.c; svm_deliver_interrupt(),
    svm_complete_interrupt_delivery(), arch/x86/kvm/svm/svm.c, v6.12
    Omits: that the pending bit is set a moment before the request
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        if avic:
            kvm_lapic_set_irr(vcpu)
        else:
            vcpu.irq_pending = True
            kvm_make_request(KVM_REQ_EVENT, vcpu)
    if avic:
        svm_complete_interrupt_delivery(vcpu)
        ipi_is_sent(vcpu)
    else:
        kvm_vcpu_kick(vcpu)


# [New in arch:svm]
@irq
@env
def avic_ipi():
    """Another vCPU, which runs on a CPU of its own that is not here, sends an IPI: its hardware sets
    the bit, reads the entry, and rings, or leaves the guest for KVM to wake the target.

    Mirrors: avic_incomplete_ipi_interception(), avic_kick_vcpu(), arch/x86/kvm/svm/avic.c, v6.12;
    AMD64 Architecture Programmer's Manual volume 2, AVIC
    """
    with atomic:
        assume(avic and (avic_ipi_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        kvm_lapic_set_irr(vcpu)
    entry = addr(to_svm(vcpu).avic_physical_id_cache)
    with atomic:
        is_running = entry.is_running
        cpu = entry.host_physical_id
    if is_running:
        per_cpu_ptr(addr(hw_avic), cpu).doorbell = True
    else:
        svm_complete_interrupt_delivery(vcpu)
    ipi_is_sent(vcpu)


# [New in arch:svm]
def ipi_is_sent(vcpu: ptr[kvm_vcpu]):
    """Ours: a place for properties: whoever sends an interrupt, a device's too, is done."""
    pass


# [New in arch:svm]
def vmrun_takes_irr(vcpu: ptr[kvm_vcpu]):
    """Ours: VMRUN looks at the virtual IRR; a doorbell from before has nothing to add."""
    this_cpu_ptr(addr(hw_avic)).doorbell = False
    vcpu.irq_pending = False


# [New in arch:svm]
def guest_takes_doorbell(vcpu: ptr[kvm_vcpu]):
    """Ours: in the guest, the CPU looks at the virtual IRR again where a doorbell came."""
    with atomic:
        if this_cpu_ptr(addr(hw_avic)).doorbell:
            this_cpu_ptr(addr(hw_avic)).doorbell = False
            vcpu.irq_pending = False


# [New in arch:svm]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which is about to run here, takes the interrupt from the hardware's virtual
    APIC, or a kick's IPI brings it out for it.
    """
    return avic or vcpu.mode == EXITING_GUEST_MODE
