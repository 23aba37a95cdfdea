"""Posted interrupts in v7.3: a put that does not enable the wakeup handler suppresses notifications.

Mirrors: arch/x86/kvm/vmx/posted_intr.c, v7.3; without IPI virtualization
"""


# [Modified in release:v7.3]
def pi_enable_wakeup_handler(vcpu: ptr[kvm_vcpu]):
    """From here on a notification wakes the vCPU.

    Mirrors: pi_enable_wakeup_handler(), arch/x86/kvm/vmx/posted_intr.c, v7.3
    Context: from the scheduler, under the rq lock, IRQs off: it may not wake anybody itself
    """
    vmx = to_vmx(vcpu)
    pi = addr(vmx.pi_desc)

    WARN_ON_ONCE(not irqs_disabled())

    lock_wakeup_list(vcpu.cpu)
    add_wakeup_list(vmx, vcpu.cpu)
    unlock_wakeup_list(vcpu.cpu)

    WARN_ON(pi_test_sn(pi))

    with atomic:
        pi.nv = POSTED_INTR_WAKEUP_VECTOR
        on = pi.on

    if on:
        __apic_send_IPI(smp_processor_id(), POSTED_INTR_WAKEUP_VECTOR)


# [Modified in release:v7.3]
def vmx_vcpu_pi_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_pi_put(), arch/x86/kvm/vmx/posted_intr.c, v7.3; Omits: TDX"""
    if not vmx_needs_pi_wakeup(vcpu):
        return

    if (
        not vcpu.preempted
        and kvm_vcpu_is_blocking(vcpu)
        and not vmx_interrupt_blocked(vcpu)
    ):
        pi_enable_wakeup_handler(vcpu)
    else:
        pi_set_sn(addr(to_vmx(vcpu).pi_desc))
