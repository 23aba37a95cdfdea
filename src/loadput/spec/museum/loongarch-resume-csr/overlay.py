"""A CPU that comes up again is taken to hold the CSRs that it had.

Before Linux commit 78d7bc5a02e1 ("LoongArch: KVM: Reload guest CSR registers after sleep")
"""

OVERLAY = Overlay(
    name="loongarch-resume-csr",
    parent="D",
    arch="loongarch",
    breaks="GUEST_STATE_COHERENT, INTERRUPT_KEPT, MEMORY_FRESH",
)
