# [Modified in twin:riscv_request_without_barrier]
def kvm_check_request(req: upto[3], vcpu: ptr[kvm_vcpu]) -> bool:
    """As mainline's else."""
    if READ_ONCE(vcpu.requests[req]):
        clear_bit(req, vcpu.requests)
        return True
    return False
