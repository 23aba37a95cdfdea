"""Structs of the common path.

Mirrors: struct kvm_vcpu, struct kvm, include/linux/kvm_host.h, v6.12; struct preempt_notifier,
include/linux/preempt.h; struct rcuwait, include/linux/types.h.
"""


class vcpu_mode(enum):
    OUTSIDE_GUEST_MODE = 0
    IN_GUEST_MODE = 1
    EXITING_GUEST_MODE = 2


KVM_REQ_EVENT = 0
KVM_REQ_UNBLOCK = 1
KVM_REQ_PMU = 2
KVM_REQ_STEAL_UPDATE = 3

EINTR = 4


class preempt_notifier(struct, per="vcpu"):
    registered: ghost[bool]


class rcuwait(struct, per="vcpu"):
    task: ptr[task_struct]


class kvm(struct, per="vm"):
    last_boosted_vcpu: vcpu_index


class kvm_vcpu(struct, per="vcpu"):
    kvm: ptr[kvm] = own
    cpu: cpu = -1
    mode: vcpu_mode
    preempt_notifier: embed[preempt_notifier]
    wait: embed[rcuwait]
    pid: ptr[task_struct]
    wants_to_run: bool
    preempted: bool
    ready: bool
    scheduled_out: bool
    requests: array[bool, 4]
    arch: embed[kvm_vcpu_arch]
    irq_pending: bool
    immediate_exit: bool


class kvm_vcpu_arch(struct, per="vcpu"):
    halted: bool


def preempt_notifier_to_vcpu(pn: ptr[preempt_notifier]) -> ptr[kvm_vcpu]:
    """Mirrors: preempt_notifier_to_vcpu(), virt/kvm/kvm_main.c, v6.12"""
    return container_of(pn, kvm_vcpu, preempt_notifier)


def kvm_make_request(req: upto[3], vcpu: ptr[kvm_vcpu]):
    """Ask the vCPU to do ``req`` before it next enters the guest.

    Mirrors: kvm_make_request(), include/linux/kvm_host.h, v6.12
    """
    smp_wmb()
    set_bit(req, vcpu.requests)


def kvm_check_request(req: upto[3], vcpu: ptr[kvm_vcpu]) -> bool:
    """Test and clear a request; only the vCPU's own task calls it.

    Mirrors: kvm_check_request(), include/linux/kvm_host.h, v6.12
    """
    if READ_ONCE(vcpu.requests[req]):
        clear_bit(req, vcpu.requests)
        smp_mb__after_atomic()
        return True
    return False


def kvm_clear_request(req: upto[3], vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_clear_request(), include/linux/kvm_host.h, v6.12"""
    clear_bit(req, vcpu.requests)


def kvm_request_pending(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_request_pending(), include/linux/kvm_host.h, v6.12: one load of the whole word."""
    with atomic:
        for req in range(0, 4):
            if READ_ONCE(vcpu.requests[req]):
                return True
    return False


def kvm_vcpu_exiting_guest_mode(vcpu: ptr[kvm_vcpu]) -> vcpu_mode:
    """Mirrors: kvm_vcpu_exiting_guest_mode(), include/linux/kvm_host.h, v6.12"""
    smp_mb()
    return cmpxchg(vcpu.mode, IN_GUEST_MODE, EXITING_GUEST_MODE)


def kvm_arch_vcpu_get_wait(vcpu: ptr[kvm_vcpu]) -> ptr[rcuwait]:
    """Mirrors: kvm_arch_vcpu_get_wait(), include/linux/kvm_host.h, v6.12"""
    return addr(vcpu.wait)


def __kvm_vcpu_wake_up(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: __kvm_vcpu_wake_up(), include/linux/kvm_host.h, v6.12"""
    return rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))


def kvm_vcpu_is_blocking(vcpu: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_vcpu_is_blocking(), include/linux/kvm_host.h, v6.12"""
    return rcuwait_active(kvm_arch_vcpu_get_wait(vcpu))


def guest_state_enter_irqoff():
    """The last thing before the guest runs, on every architecture.

    Mirrors: guest_state_enter_irqoff(), include/linux/kvm_host.h, v6.12; Omits: context tracking
    """
    pass
