"""What a CPU that comes and goes does to its registers.

Mirrors: arch/riscv/kvm/main.c, v6.12
"""


# [Modified in arch:riscv]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), arch/riscv/kvm/main.c, v6.12

    Context: no vCPU is loaded on the CPU
    Omits: AIA; HVIP; HEDELEG and HIDELEG, as all that the load restores
    """
    this_cpu_write(hw_vs_csr, 0)
