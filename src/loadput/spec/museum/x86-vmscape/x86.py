"""arch/x86/kvm/x86.c, arch/x86/include/asm/entry-common.h, as they were."""


# [Modified in museum:x86-vmscape]
def note_that_guest_ran():
    """Nobody asked."""
    pass


# [Modified in museum:x86-vmscape]
def ibpb_before_user():
    """There was none."""
    pass
