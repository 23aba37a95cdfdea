"""Drawn."""

OVERLAY = Overlay(name="fusing_mips_kvm_vz_vcpu_reenter_de55", parent="D", arch="mips")
