"""What a CPU that comes and goes does to its registers.

Mirrors: arch/riscv/kvm/main.c, v6.12
"""

# A hart that idles may lose its CSRs.
deep_idle = False


# [Modified in arch:riscv]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), arch/riscv/kvm/main.c, v6.12

    Context: no vCPU is loaded on the CPU
    Omits: AIA; HEDELEG and HIDELEG, as all that the load restores
    """
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_hvip, False)


# [New in arch:riscv]
@irq
@env
def hart_is_suspended():
    """The hart that idles is suspended in a state that keeps no CSRs, and has come back.

    Mirrors: sbi_cpuidle_enter_state(), drivers/cpuidle/cpuidle-riscv-sbi.c, with a non-retentive state;
    nothing tells KVM, v6.12
    """
    with atomic:
        assume(deep_idle and current.is_idle)
        hart_loses_csrs()


# [New in arch:riscv]
def hart_loses_csrs():
    """Ours: what a guest has left there is gone."""
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_hvip, False)
    this_cpu_write(hw_hgatp, NULL)
