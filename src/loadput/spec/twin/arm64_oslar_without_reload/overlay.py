"""The guest locks its debug registers, and nothing decides anew whether they trap.

Ours: kvm_debug_handle_oslar() of v7.3 without its put and load.
"""

OVERLAY = Overlay(
    name="arm64_oslar_without_reload",
    parent="D",
    release="v7.3",
    arch="arm64",
    breaks="OS_LOCK_TRAPS",
    scenario="one",
)
