"""A put that has lost the race against a TLBI leaves the fixmap to that.

Ours: this_cpu_reset_vncr_fixmap() of v7.3 without its clear_fixmap().
"""

OVERLAY = Overlay(
    name="nv_put_keeps_vncr",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="VNCR_OF_LOADED",
    scenario="pair",
)
