"""A vCPU is marked preempted whenever its task loses the CPU while runnable, in any ioctl.

Before Linux commit 118964562969 ("KVM: Mark a vCPU as preempted/ready iff it's scheduled out while
running")
"""

OVERLAY = Overlay(name="preempted-iff-running", parent="D", breaks="PREEMPTED_IFF_RUN")
