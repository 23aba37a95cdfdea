"""kernel/entry/kvm.c, broken."""


# [Modified in twin:arm64_signal_not_handled]
def xfer_to_guest_mode_handle_work(vcpu: ptr[kvm_vcpu]) -> int:
    """As xfer_to_guest_mode_handle_work(), without signal_pending()."""
    cond_resched()
    return 0
