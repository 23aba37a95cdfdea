"""A request that every vCPU of a VM has to see before the caller goes on.

Mirrors: virt/kvm/kvm_main.c, v6.12
"""


def kvm_request_needs_ipi(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_request_needs_ipi(), virt/kvm/kvm_main.c, v6.12, of a request with KVM_REQUEST_WAIT"""
    return kvm_vcpu_exiting_guest_mode(vcpu) != OUTSIDE_GUEST_MODE


def kvm_make_vcpu_request(vcpu: ptr[kvm_vcpu], req: upto[3], current_cpu: cpu):
    """Mirrors: kvm_make_vcpu_request(), kvm_kick_many_cpus(), virt/kvm/kvm_main.c, v6.12, of a request
    without flags

    Context: preemption off
    Omits: the mask of CPUs: each gets its IPI at once
    """
    kvm_make_request(req, vcpu)

    if kvm_vcpu_wake_up(vcpu):
        return

    if kvm_vcpu_exiting_guest_mode(vcpu) == IN_GUEST_MODE:
        cpu = READ_ONCE(vcpu.cpu)
        if cpu != -1 and cpu != current_cpu:
            smp_send_reschedule(cpu)


def kvm_make_all_cpus_request(kvm: ptr[kvm], req: upto[3]):
    """Ask every vCPU, and wait until each has left the guest since.

    Mirrors: kvm_make_all_cpus_request(), kvm_make_vcpu_request(), kvm_kick_many_cpus(),
    virt/kvm/kvm_main.c, v6.12, of a request with KVM_REQUEST_WAIT and KVM_REQUEST_NO_WAKEUP
    Context: preemptible, IRQs on
    Omits: the mask of CPUs: the caller waits for one after the other. The IPI that it waits for is
    taken with IRQs on, which a CPU has after mode was OUTSIDE_GUEST_MODE.
    """
    me = get_cpu()
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_make_request(req, vcpu)
            if kvm_request_needs_ipi(vcpu):
                cpu = READ_ONCE(vcpu.cpu)
                if cpu != -1 and cpu != me:
                    await_until(smp_load_acquire(vcpu.mode) == OUTSIDE_GUEST_MODE)
    put_cpu()
