"""arch/x86/kvm/vmx/posted_intr.c, as it was."""


# [Modified in museum:vmx-assign-not-told]
def vmx_pi_start_assignment(kvm: ptr[kvm]):
    """Nobody is told."""
    pass
