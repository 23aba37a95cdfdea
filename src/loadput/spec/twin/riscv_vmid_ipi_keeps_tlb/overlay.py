"""The IPI of a new version of VMIDs flushes nothing.

Ours: __local_hfence_gvma_all() of v7.2 without kvm_riscv_local_hfence_gvma_all().
"""

OVERLAY = Overlay(
    name="riscv_vmid_ipi_keeps_tlb",
    parent="D",
    release="v7.2",
    arch="riscv",
    breaks="TLB_FRESH",
)
