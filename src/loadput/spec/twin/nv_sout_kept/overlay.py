"""scheduled_out stays set after the scheduler's load: what arm64's reader of it then does.

Broken on purpose: kvm_sched_in() without its last store.
"""

OVERLAY = Overlay(
    name="nv_sout_kept",
    parent="D",
    arch="arm64-nv",
    breaks="STAGE2_OF_CONTEXT",
)
