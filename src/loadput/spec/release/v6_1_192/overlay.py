"""v6.1.192: Debian's 6.1.192-2, v6.1 with stable's backports.

wants_to_run is there and is written, but kvm_sched_out() does not look at it. arm64 saves the
host's FP state at load. Source: linux-source-6.1 6.1.192-2
"""

OVERLAY = Overlay(
    name="v6.1.192",
    parent="v6.1",
    design="A",
    source="Debian linux-source-6.1 6.1.192-2",
    signatures="vgic_v4_put",
)
