"""A CPU that goes offline or into deep idle forgets whose CSRs it had.

Mirrors: arch/riscv/kvm/main.c, arch/riscv/kvm/vcpu.c, v7.3. The rule of the skip, and who writes
last_exit_cpu and csr_dirty, are v7.2's text.
"""


# [New in release:v7.3]
def kvm_riscv_clear_former_vcpu():
    """Mirrors: kvm_riscv_clear_former_vcpu(), arch/riscv/kvm/vcpu.c, v7.3"""
    __this_cpu_write(kvm_former_vcpu, NULL)


# [New in release:v7.3]
def kvm_riscv_csr_cleanup():
    """Mirrors: kvm_riscv_csr_cleanup(), arch/riscv/kvm/main.c, v7.3: VSIE, HVIP, HEDELEG and HIDELEG

    Context: no vCPU is loaded on the CPU
    """
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_hvip, False)
    this_cpu_write(hw_vcpu_cfg, 0)
    kvm_riscv_clear_former_vcpu()


# [Modified in release:v7.3]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), arch/riscv/kvm/main.c, v7.3; Omits: AIA, NACL"""
    kvm_riscv_csr_cleanup()


# [New in release:v7.3]
def kvm_riscv_cpu_pm_enter():
    """Mirrors: kvm_riscv_cpu_pm_notifier() at CPU_PM_ENTER, arch/riscv/kvm/main.c, v7.3

    Context: the idle task, IRQs off
    Omits: kvm_riscv_virtualization_enabled: a CPU that idles here is online, with KVM; AIA
    """
    kvm_riscv_csr_cleanup()


# [Modified in release:v7.3]
@irq
@env
def hart_is_suspended():
    """The hart that idles is suspended in a state that keeps no CSRs, and has come back.

    Mirrors: sbi_cpuidle_enter_state(), drivers/cpuidle/cpuidle-riscv-sbi.c; CPU_PM_CPU_IDLE_ENTER_PARAM(),
    include/linux/cpuidle.h; kvm_riscv_cpu_pm_notifier(), arch/riscv/kvm/main.c, v7.3
    Omits: CPU_PM_EXIT: HEDELEG and HIDELEG, which a restore writes again; HCOUNTEREN; AIA's HGEIE
    """
    with atomic:
        assume(deep_idle and current.is_idle)
        kvm_riscv_cpu_pm_enter()
        hart_loses_csrs()
