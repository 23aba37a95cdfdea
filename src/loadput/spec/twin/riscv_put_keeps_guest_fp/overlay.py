"""The put leaves the guest's FP registers on the CPU.

Ours: kvm_arch_vcpu_put() without kvm_riscv_vcpu_host_fp_restore().
"""

OVERLAY = Overlay(
    name="riscv_put_keeps_guest_fp",
    parent="D",
    arch="riscv",
    breaks="HOST_RESTORED",
)
