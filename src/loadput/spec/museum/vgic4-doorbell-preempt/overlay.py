"""The doorbell is asked for by who puts, and a load takes it back whatever the vCPU does.

Before Linux commit b321c31c9b7b ("KVM: arm64: vgic-v4: Make the doorbell request robust w.r.t
preemption")
"""

OVERLAY = Overlay(
    name="vgic4-doorbell-preempt",
    parent="D",
    arch="arm64",
    signatures="vgic_v4_put",
    breaks="NO_LOST_WAKEUP",
)
