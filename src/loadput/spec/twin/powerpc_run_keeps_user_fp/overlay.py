"""Broken on purpose: KVM_RUN does not save the task's FP registers, which the guest then overwrites."""

OVERLAY = Overlay(
    name="powerpc_run_keeps_user_fp", parent="D", arch="powerpc", breaks="HOST_RESTORED"
)
