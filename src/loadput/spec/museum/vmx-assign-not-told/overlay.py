"""A vCPU that waits when a device is assigned goes on waiting as it does.

Before Linux commit a2486020a82e ("KVM: VMX: update vcpu posted-interrupt descriptor when
assigning device")
"""

OVERLAY = Overlay(name="vmx-assign-not-told", parent="D", arch="vmx", breaks="NO_LOST_WAKEUP")
