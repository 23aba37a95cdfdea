"""The put does not give TPIDR_EL0 back to the host.

Ours: __vcpu_put_switch_sysregs() without its second half.
"""

OVERLAY = Overlay(
    name="arm64_put_keeps_guest_tpidr",
    parent="D",
    arch="arm64",
    breaks="HOST_RESTORED",
)
