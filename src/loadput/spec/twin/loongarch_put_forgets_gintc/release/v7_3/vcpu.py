# [Modified in twin:loongarch_put_forgets_gintc]
def _kvm_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As _kvm_vcpu_put(), arch/loongarch/kvm/vcpu.c, without GINTC."""
    kvm_lose_fpu(vcpu)

    if not vcpu.arch.swcsr_latest:
        vcpu.arch.csr = this_cpu_read(hw_gcsr)
        vcpu.arch.gstat = this_cpu_read(hw_gstat)
        vcpu.arch.swcsr_latest = True
