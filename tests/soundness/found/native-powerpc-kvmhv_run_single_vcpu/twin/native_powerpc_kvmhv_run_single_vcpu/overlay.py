"""Drawn."""

OVERLAY = Overlay(name="native_powerpc_kvmhv_run_single_vcpu", parent="D", arch="powerpc")
