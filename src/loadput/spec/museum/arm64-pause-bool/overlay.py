"""Whether a vCPU is stopped is one bit, whoever stopped it.

Before "KVM: arm64: Turn vcpu->arch.pause into a counter", in Debian's 6.12.117
"""

OVERLAY = Overlay(
    name="arm64-pause-bool", parent="D", arch="arm64", breaks="HALTED_WHILE_HELD"
)
