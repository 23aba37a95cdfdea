"""An exit leaves the guest's TPIDR_EL0 in the register.

Broken on purpose: __sysreg_restore_state_nvhe() is not called for the host's context.
"""

OVERLAY = Overlay(
    name="nvhe_exit_keeps_guest_tpidr",
    parent="D",
    arch="arm64-nvhe",
    breaks="HOST_RESTORED",
)
