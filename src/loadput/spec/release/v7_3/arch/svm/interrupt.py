"""How a device's interrupt comes to a vCPU: as in v6.12, in other files.

Mirrors: arch/x86/kvm/irq.c, v7.3
"""


# [Modified in release:v7.3]
@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU, where KVM delivers it.

    Mirrors: irqfd_wakeup(), virt/kvm/eventfd.c; kvm_set_msi(), arch/x86/kvm/irq.c;
    __apic_accept_irq(), arch/x86/kvm/lapic.c; svm_deliver_interrupt(),
    svm_complete_interrupt_delivery(), arch/x86/kvm/svm/svm.c, v7.3
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
