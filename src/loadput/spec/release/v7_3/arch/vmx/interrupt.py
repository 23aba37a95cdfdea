"""How a device's interrupt comes to a vCPU: as in v6.12, in other files.

Mirrors: arch/x86/kvm/irq.c, v7.3
"""


# [Modified in release:v7.3]
@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU, where KVM delivers it.

    Mirrors: irqfd_wakeup(), virt/kvm/eventfd.c; kvm_set_msi(), arch/x86/kvm/irq.c;
    __apic_accept_irq(), arch/x86/kvm/lapic.c; vmx_deliver_interrupt(), arch/x86/kvm/vmx/vmx.c, v7.3
    Omits: that the pending bit is set a moment before the request
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs)
        if enable_apicv:
            assume(not to_vmx(vcpu).pi_desc.pir)
        else:
            assume(not vcpu.irq_pending)
            vcpu.irq_pending = True
            kvm_make_request(KVM_REQ_EVENT, vcpu)
    if enable_apicv:
        vmx_deliver_posted_interrupt(vcpu)
    else:
        kvm_vcpu_kick(vcpu)


# [Modified in release:v7.3]
def kvm_vcpu_trigger_posted_interrupt(vcpu: ptr[kvm_vcpu]):
    """Tell the guest, or wake the vCPU.

    Mirrors: kvm_vcpu_trigger_posted_interrupt(), arch/x86/kvm/vmx/common.h, v7.3
    """
    if vcpu.mode == IN_GUEST_MODE:
        if vcpu != kvm_get_running_vcpu():
            __apic_send_IPI(vcpu.cpu, POSTED_INTR_VECTOR)
        return

    kvm_vcpu_wake_up(vcpu)
