"""A vCPU that comes to another CPU finds there what it left in the TLB.

Before Linux commit 92e450507d56 ("RISC-V: KVM: Cleanup stale TLB entries when host CPU changes")
"""

OVERLAY = Overlay(
    name="riscv-vs-tlb-migration", parent="D", arch="riscv", breaks="TLB_FRESH"
)
