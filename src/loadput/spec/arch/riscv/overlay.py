"""riscv with the H extension: the guest's VS CSRs and FP registers stay loaded from load to put.

arch/riscv/kvm, v6.12; AIA, vector, Smstateen and the SBI extensions are not here.
"""

OVERLAY = Overlay(name="riscv", source="arch/riscv/kvm/vcpu.c, v6.12")
