"""HEDELEG, HIDELEG, HENVCFG and HSTATEEN0: one register here.

Mirrors: arch/riscv/kvm/vcpu_config.c, v7.2
"""

# User space sets guest debugging, the guest sets SBI FWFT features.
config_changes = False


class kvm_vcpu_arch(struct):
    cfg: token[vcpu_cfg, vcpu] = own


hw_vcpu_cfg: per_cpu[token[vcpu_cfg, vcpu]]


# [New in release:v7.2]
def kvm_riscv_vcpu_config_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_config_load(), arch/riscv/kvm/vcpu_config.c, v7.2"""
    __this_cpu_write(hw_vcpu_cfg, vcpu.arch.cfg)


# [New in release:v7.2]
def kvm_riscv_vcpu_config_guest_debug(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_config_guest_debug(), arch/riscv/kvm/vcpu_config.c;
    kvm_arch_vcpu_ioctl_set_guest_debug(), arch/riscv/kvm/vcpu.c, v7.2
    """
    fresh(vcpu.arch.cfg, vcpu)
    vcpu.arch.csr_dirty = True


# [Modified in release:v7.2]
def kvm_arch_disable_virtualization_cpu():
    """Mirrors: kvm_arch_disable_virtualization_cpu(), arch/riscv/kvm/main.c, v7.2

    Context: no vCPU is loaded on the CPU
    Omits: AIA; what a hart loses that is stopped; kvm_former_vcpu stays as it is
    """
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_hvip, False)
    this_cpu_write(hw_vcpu_cfg, 0)


# [Modified in release:v7.2]
def hart_loses_csrs():
    """Ours: what a guest has left there is gone; kvm_former_vcpu stays as it is."""
    this_cpu_write(hw_vs_csr, 0)
    this_cpu_write(hw_hvip, False)
    this_cpu_write(hw_vcpu_cfg, 0)
    this_cpu_write(hw_hgatp, 0)
