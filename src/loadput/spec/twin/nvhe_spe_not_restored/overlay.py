"""An exit leaves the host's profiling stopped.

Broken on purpose: __debug_restore_host_buffers_nvhe() does nothing.
"""

OVERLAY = Overlay(
    name="nvhe_spe_not_restored",
    parent="D",
    arch="arm64-nvhe",
    scenario="spe",
    breaks="HOST_SPE",
)
