"""A load takes a stage 2 while another vCPU's thread has mmu_lock.

Ours: kvm_vcpu_load_hw_mmu() of v7.3 without its write_lock().
"""

OVERLAY = Overlay(
    name="nv_load_without_mmu_lock",
    parent="D",
    release="v7.3",
    arch="arm64-nv",
    breaks="KERNEL_WARN",
    scenario="pair",
)
