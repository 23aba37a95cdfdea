# [Modified in twin:assignment_unblocks_nobody]
def vmx_pi_start_assignment(kvm: ptr[kvm]):
    """Nobody is told."""
    pass
