"""A vCPU is reported as preempted wherever its task loses the CPU.

Before Linux commit 6cd88243c7e0 ("KVM: x86: do not report a vCPU as preempted outside instruction
boundaries")
"""

OVERLAY = Overlay(
    name="st-preempted-mid-insn", parent="D", arch="svm", breaks="TLB_FRESH"
)
