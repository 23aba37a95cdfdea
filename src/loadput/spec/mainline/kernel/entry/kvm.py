"""Work that a task has to do before it enters a guest.

Mirrors: kernel/entry/kvm.c, include/linux/entry-kvm.h, v6.12
"""

# Whether KVM_RUN asks for work with interrupts off, before each entry; before the first one too.
ASKS_WITH_IRQS_OFF = 1
ASKS_BEFORE_FIRST_ENTRY = 1


def xfer_to_guest_mode_handle_work(vcpu: ptr[kvm_vcpu]) -> int:
    """Handle signals and need_resched; negative where KVM_RUN must end.

    Mirrors: xfer_to_guest_mode_handle_work(), xfer_to_guest_mode_work(), kernel/entry/kvm.c, v6.12
    Context: interrupts and preemption on
    Omits: task work, RCU; the loop, since need_resched is free at each pass
    """
    if signal_pending(current):
        return -1
    cond_resched()
    return 0


def xfer_to_guest_mode_work_pending() -> bool:
    """A signal or need_resched may have come at any time: free.

    Mirrors: xfer_to_guest_mode_work_pending(), include/linux/entry-kvm.h, v6.12
    Context: interrupts off
    """
    return choose()
