"""A load does not look which vCPU of the VM ran last on the CPU.

Before Linux commit 94d0e5980d67 ("arm/arm64: KVM: Perform local TLB invalidation when multiplexing
vcpus on a single CPU")
"""

OVERLAY = Overlay(name="arm-last-vcpu-tlb", parent="D", arch="arm64", breaks="TLB_PRIVATE")
