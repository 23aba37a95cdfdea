"""The load does not note the CPU.

Ours: kvm_arch_vcpu_load() without vcpu->cpu = cpu.
"""

OVERLAY = Overlay(name="arm64_load_forgets_cpu", parent="D", arch="arm64", breaks="CPU_FIELD")
