"""Drawn."""

OVERLAY = Overlay(name="fusing_powerpc_kvm_vcpu_ioctl_get_regs_8692", parent="D", arch="powerpc")
