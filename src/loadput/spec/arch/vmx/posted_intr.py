"""Posted interrupts of a vCPU that waits or has lost its CPU.

Mirrors: arch/x86/kvm/vmx/posted_intr.c, v6.12; without IPI virtualization. The loops around
pi_try_set_control() are one step each: they try again where ON changed, and nobody else writes the
rest of the word.
"""


class vcpu_vmx(struct):
    pi_desc: embed[pi_desc]
    # The CPU whose list, wakeup_vcpus_on_cpu in C, the vCPU is on.
    pi_wakeup_list: cpu = -1


wakeup_vcpus_on_cpu_lock: per_cpu[bool]


# [New in arch:vmx]
def lock_wakeup_list(cpu: cpu):
    """Ours: raw_spin_lock() of wakeup_vcpus_on_cpu_lock."""
    with atomic:
        assume(not per_cpu(wakeup_vcpus_on_cpu_lock, cpu))
        WRITE_ONCE(per_cpu(wakeup_vcpus_on_cpu_lock, cpu), True)


# [New in arch:vmx]
def unlock_wakeup_list(cpu: cpu):
    """Ours: raw_spin_unlock() of wakeup_vcpus_on_cpu_lock."""
    WRITE_ONCE(per_cpu(wakeup_vcpus_on_cpu_lock, cpu), False)


# [New in arch:vmx]
def add_wakeup_list(vmx: ptr[vcpu_vmx], cpu: cpu):
    """Ours: list_add_tail() to the CPU's wakeup_vcpus_on_cpu."""
    list_add(vmx.pi_wakeup_list)
    vmx.pi_wakeup_list = cpu


# [New in arch:vmx]
def del_wakeup_list(vmx: ptr[vcpu_vmx], cpu: cpu):
    """Ours: list_del() from the CPU's wakeup_vcpus_on_cpu."""
    list_del(vmx.pi_wakeup_list, cpu)
    vmx.pi_wakeup_list = -1


# [New in arch:vmx]
def vmx_vcpu_pi_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Notifications come to this CPU again, and with the vector that tells the guest.

    Mirrors: vmx_vcpu_pi_load(), arch/x86/kvm/vmx/posted_intr.c, v6.12
    Context: preemption off, IRQs on; vcpu->cpu is still the CPU of the last load
    """
    vmx = to_vmx(vcpu)
    pi = addr(vmx.pi_desc)

    if not enable_apicv:
        return

    if pi.nv != POSTED_INTR_WAKEUP_VECTOR and vcpu.cpu == cpu:
        if not pi_test_and_clear_sn(pi):
            return
    else:
        local_irq_save(flags)

        if pi.nv == POSTED_INTR_WAKEUP_VECTOR:
            lock_wakeup_list(vcpu.cpu)
            del_wakeup_list(vmx, vcpu.cpu)
            unlock_wakeup_list(vcpu.cpu)

        with atomic:
            pi.ndst = cpu
            pi.sn = False
            pi.nv = POSTED_INTR_VECTOR

        local_irq_restore(flags)

    smp_mb__after_atomic()

    if not pi_is_pir_empty(pi):
        pi_set_on(pi)


# [New in arch:vmx]
def vmx_needs_pi_wakeup(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: vmx_needs_pi_wakeup(), vmx_can_use_vtd_pi(), arch/x86/kvm/vmx/posted_intr.c, v6.12"""
    return enable_apicv and kvm_arch_has_assigned_device(vcpu.kvm)


# [New in arch:vmx]
def pi_enable_wakeup_handler(vcpu: ptr[kvm_vcpu]):
    """From here on a notification wakes the vCPU.

    Mirrors: pi_enable_wakeup_handler(), arch/x86/kvm/vmx/posted_intr.c, v6.12
    Context: from the scheduler, under the rq lock: it may not wake anybody itself
    """
    vmx = to_vmx(vcpu)
    pi = addr(vmx.pi_desc)

    local_irq_save(flags)

    lock_wakeup_list(vcpu.cpu)
    add_wakeup_list(vmx, vcpu.cpu)
    unlock_wakeup_list(vcpu.cpu)

    WARN_ON(pi_test_sn(pi))

    with atomic:
        pi.nv = POSTED_INTR_WAKEUP_VECTOR
        on = pi.on

    if on:
        __apic_send_IPI(smp_processor_id(), POSTED_INTR_WAKEUP_VECTOR)

    local_irq_restore(flags)


# [New in arch:vmx]
def vmx_vcpu_pi_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_pi_put(), arch/x86/kvm/vmx/posted_intr.c, v6.12"""
    if not vmx_needs_pi_wakeup(vcpu):
        return

    if kvm_vcpu_is_blocking(vcpu) and not vmx_interrupt_blocked(vcpu):
        pi_enable_wakeup_handler(vcpu)

    if vcpu.preempted:
        pi_set_sn(addr(to_vmx(vcpu).pi_desc))


# [New in arch:vmx]
def pi_wakeup_handler():
    """Mirrors: pi_wakeup_handler(), arch/x86/kvm/vmx/posted_intr.c, v6.12"""
    cpu = smp_processor_id()

    lock_wakeup_list(cpu)
    for vcpu in each(kvm_vcpu):
        vmx = to_vmx(vcpu)
        if vmx.pi_wakeup_list == cpu and pi_test_on(addr(vmx.pi_desc)):
            kvm_vcpu_wake_up(vcpu)
    unlock_wakeup_list(cpu)


# [New in arch:vmx]
def pi_has_pending_interrupt(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: pi_has_pending_interrupt(), arch/x86/kvm/vmx/posted_intr.c, v6.12"""
    pi = addr(to_vmx(vcpu).pi_desc)
    return pi_test_on(pi) or (pi_test_sn(pi) and not pi_is_pir_empty(pi))


# [New in arch:vmx]
@irq
def sysvec_kvm_posted_intr_ipi():
    """A notification that comes while no guest runs: whoever enters the guest next looks himself.

    Mirrors: sysvec_kvm_posted_intr_ipi(), arch/x86/kernel/irq.c, v6.12
    """
    with atomic:
        assume(enable_apicv and this_cpu(irr_posted_intr))
        this_cpu_write(irr_posted_intr, False)


# [New in arch:vmx]
@irq
def sysvec_kvm_posted_intr_wakeup_ipi():
    """Mirrors: sysvec_kvm_posted_intr_wakeup_ipi(), arch/x86/kernel/irq.c, v6.12"""
    with atomic:
        assume(vtd_posting != 0 and this_cpu(irr_posted_intr_wakeup))
        this_cpu_write(irr_posted_intr_wakeup, False)
    pi_wakeup_handler()
