"""A vCPU's flags are changed where the scheduler may come in between the read and the write.

Before Linux commit 35dcb3ac663a ("KVM: arm64: Make vcpu flag updates non-preemptible")
"""

OVERLAY = Overlay(
    name="arm64-flags-rmw",
    parent="D",
    arch="arm64-nvhe",
    breaks="SPE_STOPPED_IN_GUEST, FLAGS_OF_THIS_CPU",
)
