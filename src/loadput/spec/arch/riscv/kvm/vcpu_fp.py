"""FP registers between the host's task and the guest.

Mirrors: arch/riscv/kvm/vcpu_fp.c, v6.12
"""


# [New in arch:riscv]
def kvm_riscv_vcpu_guest_fp_save(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_guest_fp_save(), arch/riscv/kvm/vcpu_fp.c, v6.12"""
    if vcpu.arch.guest_context.fs_dirty:
        vcpu.arch.guest_context.fp = __this_cpu_read(hw_guest_fregs)
        vcpu.arch.guest_context.fs_dirty = False


# [New in arch:riscv]
def kvm_riscv_vcpu_guest_fp_restore(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_guest_fp_restore(), arch/riscv/kvm/vcpu_fp.c, v6.12

    Omits: a guest without FP
    """
    __this_cpu_write(hw_guest_fregs, vcpu.arch.guest_context.fp)
    __this_cpu_write(hw_fregs, 0)
    vcpu.arch.guest_context.fs_dirty = False


# [New in arch:riscv]
def kvm_riscv_vcpu_host_fp_save(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_host_fp_save(), arch/riscv/kvm/vcpu_fp.c, v6.12"""
    vcpu.arch.host_context_fp = __this_cpu_read(hw_fregs)


# [New in arch:riscv]
def kvm_riscv_vcpu_host_fp_restore(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_riscv_vcpu_host_fp_restore(), arch/riscv/kvm/vcpu_fp.c, v6.12"""
    __this_cpu_write(hw_fregs, vcpu.arch.host_context_fp)
    vcpu.arch.host_context_fp = 0
    __this_cpu_write(hw_guest_fregs, 0)
