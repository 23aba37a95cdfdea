"""The load skips the VS CSRs where the CPU's last vCPU and the vCPU's last exit agree.

The rule of kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, Linux commit 1323a5cfe52c (in v7.1); the
CSRs that an exit handler writes on another CPU are not counted there. Read in the source, not
shown on hardware.
"""

OVERLAY = Overlay(name="riscv_csr_skip", parent="D", arch="riscv", breaks="GUEST_STATE_COHERENT")
