"""What all of powerpc's KVM has in common.

Mirrors: arch/powerpc/kvm/powerpc.c, v6.12
"""


# [New in arch:powerpc]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/powerpc/kvm/powerpc.c, v6.12"""
    kvmppc_core_vcpu_load_hv(vcpu, cpu)


# [New in arch:powerpc]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/powerpc/kvm/powerpc.c, v6.12"""
    kvmppc_core_vcpu_put_hv(vcpu)


# [New in arch:powerpc]
def kvm_arch_vcpu_runnable(v: ptr[kvm_vcpu]) -> bool:
    """Mirrors: kvm_arch_vcpu_runnable(), arch/powerpc/kvm/powerpc.c, v6.12; Omits: requests: none"""
    return v.irq_pending


# [New in arch:powerpc]
def kvm_arch_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_blocking(), arch/powerpc/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:powerpc]
def kvm_arch_vcpu_unblocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_unblocking(), arch/powerpc/include/asm/kvm_host.h, v6.12"""
    pass


# [New in arch:powerpc]
def kvm_arch_vcpu_ioctl_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_ioctl_run(), arch/powerpc/kvm/powerpc.c, v6.12

    Context: task, vcpu->mutex held
    Omits: completion of MMIO and hypercalls, signal mask
    """
    vcpu_load(vcpu)

    if vcpu.wants_to_run:
        kvmppc_vcpu_run_hv(vcpu)

    vcpu_put(vcpu)
