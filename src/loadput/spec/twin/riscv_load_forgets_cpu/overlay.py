"""The load does not note the CPU.

Ours: kvm_arch_vcpu_load() without vcpu->cpu = cpu.
"""

OVERLAY = Overlay(name="riscv_load_forgets_cpu", parent="D", arch="riscv", breaks="CPU_FIELD")
