# [Modified in twin:loongarch_one_sided]
def _kvm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As _kvm_vcpu_load(), arch/loongarch/kvm/vcpu.c, without the test of last_vcpu."""
    migrated = vcpu.arch.last_sched_cpu != cpu

    context = per_cpu_ptr(addr(vmcs), cpu)
    context.last_vcpu = vcpu
    if migrated:
        vcpu.arch.hwcsr_usable = False

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    if vcpu.arch.hwcsr_usable:
        return

    this_cpu_write(hw_gcsr, vcpu.arch.csr)

    this_cpu_write(hw_gintc, vcpu.arch.gintc)
    this_cpu_write(hw_gstat, vcpu.arch.gstat)

    vcpu.arch.hwcsr_usable = True
