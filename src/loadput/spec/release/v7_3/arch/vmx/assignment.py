"""A device is assigned in v7.3: the request and the IOMMU's entry under one lock, with IRQs off.

Mirrors: arch/x86/kvm/irq.c, virt/kvm/kvm_main.c, kernel/smp.c, v7.3
"""


class call_function_data(struct, per="cpu"):
    # CSD_FLAG_LOCK of this CPU's entry for each other: on its way, and not yet done there.
    csd: array[bool, cpu]
    # cpu_kick_mask
    kick: array[bool, cpu]


cfd_data: per_cpu[call_function_data]


# [Modified in release:v7.3]
def kvm_arch_has_assigned_device(kvm: ptr[kvm]) -> bool:
    """Mirrors: vmx_can_use_vtd_pi() where it reads nr_possible_bypass_irqs,
    arch/x86/kvm/vmx/posted_intr.c, v7.3
    """
    return vtd_posting != 0 and (not device_assignment or READ_ONCE(kvm.assigned_device))


# [New in release:v7.3]
def kvm_make_vcpu_request_in(vcpu: ptr[kvm_vcpu], req: upto[3], cfd: ptr[call_function_data]):
    """The CPU of a vCPU that is in its guest comes into the mask.

    Mirrors: kvm_make_vcpu_request(), virt/kvm/kvm_main.c, v7.3, of a request without flags
    """
    kvm_make_request(req, vcpu)

    if kvm_vcpu_wake_up(vcpu):
        return

    if kvm_vcpu_exiting_guest_mode(vcpu) == IN_GUEST_MODE:
        cpu = READ_ONCE(vcpu.cpu)
        if cpu != -1 and cpu != smp_processor_id():
            cfd.kick[cpu] = True


# [New in release:v7.3]
def smp_call_function_many(cfd: ptr[call_function_data]):
    """Ask the CPUs of the mask to call ack_kick(), and wait for none of them.

    Mirrors: smp_call_function_many_cond(), csd_lock(), kernel/smp.c, v7.3, whose assertion
    (lockdep_assert_irqs_enabled()) is a warning here. What it asked of a CPU before must be done.
    Context: preemption off
    """
    WARN_ON_ONCE(irqs_disabled())

    for c in each(cpu):
        if cfd.kick[c]:
            cfd.kick[c] = False
            await_until(not cfd.csd[c])
            cfd.csd[c] = True


# [New in release:v7.3]
@irq
def ack_kick():
    """Mirrors: ack_kick(), virt/kvm/kvm_main.c; __flush_smp_call_function_queue(), kernel/smp.c, v7.3"""
    with atomic:
        assume(device_assignment)
        cfd = per_cpu_ptr(addr(cfd_data), choose(0, NR_CPUS - 1))
        assume(cfd.csd[smp_processor_id()])
        cfd.csd[smp_processor_id()] = False


# [Modified in release:v7.3]
def vmx_pi_start_assignment(kvm: ptr[kvm]):
    """A vCPU that has blocked without the wakeup handler begins anew.

    Mirrors: vmx_pi_start_bypass(), arch/x86/kvm/vmx/posted_intr.c; kvm_make_all_cpus_request(),
    kvm_kick_many_cpus(), virt/kvm/kvm_main.c, v7.3
    Context: kvm->irqfds.lock held, IRQs off
    """
    get_cpu()
    cfd = this_cpu_ptr(addr(cfd_data))
    any = False
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_make_vcpu_request_in(vcpu, KVM_REQ_UNBLOCK, cfd)
    for c in each(cpu):
        any = any or cfd.kick[c]
    if any:
        smp_call_function_many(cfd)
    put_cpu()


# [Modified in release:v7.3]
def kvm_arch_irq_bypass_add_producer(kvm: ptr[kvm]):
    """Mirrors: kvm_arch_irq_bypass_add_producer(), arch/x86/kvm/irq.c; vmx_pi_update_irte(),
    arch/x86/kvm/vmx/posted_intr.c, v7.3

    Omits: kvm->irqfds.lock but for its IRQs off: one thread of a VM assigns
    """
    local_irq_disable()

    WRITE_ONCE(kvm.assigned_device, True)
    vmx_pi_start_assignment(kvm)

    WRITE_ONCE(kvm.irte_posted, True)

    local_irq_enable()
