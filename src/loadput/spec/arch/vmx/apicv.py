"""Interrupts for a guest whose APIC the hardware keeps.

Mirrors: arch/x86/kvm/vmx/vmx.c, arch/x86/kvm/lapic.c, arch/x86/kvm/irq.c, v6.12. Where a scenario
does not set enable_apicv, an interrupt is a request and a kick, as on SVM without AVIC.
"""


# [New in arch:vmx]
def kvm_vcpu_trigger_posted_interrupt(vcpu: ptr[kvm_vcpu]):
    """Tell the guest, or wake the vCPU.

    Mirrors: kvm_vcpu_trigger_posted_interrupt(), arch/x86/kvm/vmx/vmx.c, v6.12
    """
    if vcpu.mode == IN_GUEST_MODE:
        if vcpu != kvm_get_running_vcpu():
            __apic_send_IPI(vcpu.cpu, POSTED_INTR_VECTOR)
        return

    kvm_vcpu_wake_up(vcpu)


# [New in arch:vmx]
def vmx_deliver_posted_interrupt(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_deliver_posted_interrupt(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: nested guests"""
    pi = addr(to_vmx(vcpu).pi_desc)

    if pi_test_and_set_pir(pi):
        return

    if pi_test_and_set_on(pi):
        return

    kvm_vcpu_trigger_posted_interrupt(vcpu)


# [Modified in arch:vmx]
@irq
@env
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU, where KVM delivers it.

    Mirrors: irqfd_wakeup(), virt/kvm/eventfd.c; kvm_set_msi(), arch/x86/kvm/irq_comm.c;
    __apic_accept_irq(), arch/x86/kvm/lapic.c; vmx_deliver_interrupt(), arch/x86/kvm/vmx/vmx.c, v6.12
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


# [Modified in arch:vmx]
def is_deliverable(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: posted, or in the virtual APIC already."""
    if enable_apicv:
        return to_vmx(vcpu).pi_desc.pir or vcpu.arch.irr
    return vcpu.irq_pending


# [New in arch:vmx]
def vmx_set_rvi(vcpu: ptr[kvm_vcpu], vector: bool):
    """Into the VMCS that is current on this CPU, whose ever it is.

    Mirrors: vmx_set_rvi(), arch/x86/kvm/vmx/vmx.c, v6.12. The vCPU is for properties.
    Omits: that the VMREAD may come before a preemption and the VMWRITE after it
    """
    with atomic:
        vmcs_access(vcpu)
        vmcs = this_cpu(hw_current_vmcs)
        if vmcs:
            vmcs.rvi = vector


# [New in arch:vmx]
def kvm_apic_update_irr(vcpu: ptr[kvm_vcpu], pi: ptr[pi_desc]) -> bool:
    """Mirrors: kvm_apic_update_irr(), __kvm_apic_update_irr(), arch/x86/kvm/lapic.c, v6.12"""
    if READ_ONCE(pi.pir):
        if xchg(pi.pir, False):
            vcpu.arch.irr = True
    return vcpu.arch.irr


# [New in arch:vmx]
def vmx_sync_pir_to_irr(vcpu: ptr[kvm_vcpu]) -> bool:
    """Returns: whether an interrupt is pending in the virtual APIC.

    Mirrors: vmx_sync_pir_to_irr(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: nested guests, a vCPU whose
    APICv is inhibited
    """
    pi = addr(to_vmx(vcpu).pi_desc)

    if pi_test_on(pi):
        pi_clear_on(pi)
        smp_mb__after_atomic()
        max_irr = kvm_apic_update_irr(vcpu, pi)
    else:
        max_irr = vcpu.arch.irr

    vmx_set_rvi(vcpu, max_irr)

    return max_irr


# [Modified in arch:vmx]
def kvm_x86_sync_pir_to_irr(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vt_x86_ops.sync_pir_to_irr, arch/x86/kvm/vmx/main.c, v6.12"""
    if enable_apicv:
        vmx_sync_pir_to_irr(vcpu)


# [New in arch:vmx]
def vmx_interrupt_blocked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vmx_interrupt_blocked(), arch/x86/kvm/vmx/vmx.c, v6.12: a guest that waits takes
    interrupts; its RFLAGS and interruptibility are in its VMCS
    """
    vmcs_access(vcpu)
    return False


# [Modified in arch:vmx]
def kvm_x86_interrupt_allowed(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vmx_interrupt_allowed(), arch/x86/kvm/vmx/vmx.c, v6.12"""
    return not vmx_interrupt_blocked(vcpu)


# [Modified in arch:vmx]
def kvm_cpu_has_interrupt(v: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_cpu_has_interrupt(), arch/x86/kvm/irq.c; kvm_apic_has_interrupt(),
    apic_has_interrupt_for_ppr(), arch/x86/kvm/lapic.c, v6.12; Omits: priorities
    """
    if enable_apicv:
        return vmx_sync_pir_to_irr(v)
    return READ_ONCE(v.irq_pending)


# [Modified in arch:vmx]
def kvm_x86_dy_apicv_has_pending_interrupt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vt_x86_ops.dy_apicv_has_pending_interrupt, arch/x86/kvm/vmx/main.c, v6.12"""
    if enable_apicv:
        return pi_has_pending_interrupt(vcpu)
    return False


# [New in arch:vmx]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which is about to run here, takes the interrupt from the hardware's virtual
    APIC, or a kick's IPI brings it out for it.
    """
    return enable_apicv or vcpu.mode == EXITING_GUEST_MODE
