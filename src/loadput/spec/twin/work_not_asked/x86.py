"""arch/x86/kvm/x86.c, broken."""


# [Modified in twin:work_not_asked]
def kvm_vcpu_exit_request(vcpu: ptr[kvm_vcpu]) -> bool:
    """As kvm_vcpu_exit_request(), without xfer_to_guest_mode_work_pending()."""
    return vcpu.mode == EXITING_GUEST_MODE or kvm_request_pending(vcpu)
