"""The branch predictor on the way to user mode: what a guest has taught it is not for a process.

Mirrors: arch/x86/kvm/x86.c, arch/x86/include/asm/entry-common.h, v6.12.y. Only where a scenario sets
ibpb_exit_to_user.
"""

# The CPUs have X86_FEATURE_IBPB_EXIT_TO_USER.
ibpb_exit_to_user = False

x86_ibpb_exit_to_user: per_cpu[bool]


# [New in arch:x86]
def note_that_guest_ran():
    """Mirrors: vcpu_enter_guest() where it sets x86_ibpb_exit_to_user, arch/x86/kvm/x86.c, v6.12.y

    Context: IRQs off: on the CPU that ran the guest
    """
    if ibpb_exit_to_user:
        this_cpu_write(x86_ibpb_exit_to_user, True)


# [New in arch:x86]
def ibpb_before_user():
    """Mirrors: arch_exit_to_user_mode_prepare() where it asks x86_ibpb_exit_to_user,
    arch/x86/include/asm/entry-common.h, v6.12.y
    """
    if ibpb_exit_to_user and this_cpu_read(x86_ibpb_exit_to_user):
        indirect_branch_prediction_barrier()
        this_cpu_write(x86_ibpb_exit_to_user, False)
