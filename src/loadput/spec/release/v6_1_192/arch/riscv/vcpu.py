"""What differs from v6.1.

Mirrors: arch/riscv/kvm/vcpu.c, v6.1.192
"""


# [Modified in release:v6.1.192]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/riscv/kvm/vcpu.c, v6.1.192, up to vcpu_load()"""
    if not vcpu.wants_to_run:
        return

    kvm_riscv_vcpu_run_loop(vcpu)
