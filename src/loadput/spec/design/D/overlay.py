"""D: the flag vcpu->scheduled_out. Mainline since v6.11: there is nothing to lay over.

Source: Linux commit d1ae567fb8b5 ("KVM: Add a flag to track if a loaded vCPU is scheduled out")
"""

OVERLAY = Overlay(name="D", source="Linux commit d1ae567fb8b5 (in v6.11)")
