"""A vCPU that moves between threads of one core leaves nothing to flush behind.

Before Linux commit 77bbbc0cf848 ("KVM: PPC: Book3S HV: Fix TLB management on SMT8 POWER9 and
POWER10 processors")
"""

OVERLAY = Overlay(name="ppc-smt8-tlb", parent="D", arch="powerpc", breaks="TLB_FRESH")
