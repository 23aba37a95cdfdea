"""Nothing orders what a vCPU stored before it has seen to a request.

Ours: kvm_check_request() without smp_mb__after_atomic(), which here is what orders the store of
vcpu->cpu before that of IN_GUEST_MODE.
"""

OVERLAY = Overlay(
    name="riscv_request_without_barrier",
    parent="D",
    release="v7.3",
    arch="riscv",
    breaks="KICK_SENDS_IPI",
    memory="weak",
)
