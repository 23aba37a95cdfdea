# [Modified in twin:loongarch_load_asks_no_steal]
def _kvm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As _kvm_vcpu_load(), arch/loongarch/kvm/vcpu.c, without KVM_REQ_STEAL_UPDATE."""
    migrated = vcpu.arch.last_sched_cpu != cpu

    context = per_cpu_ptr(addr(vmcs), cpu)
    if migrated or context.last_vcpu != vcpu:
        context.last_vcpu = vcpu
        vcpu.arch.hwcsr_usable = False

    if vcpu.arch.hwcsr_usable:
        return

    this_cpu_write(hw_gcsr, vcpu.arch.csr)

    this_cpu_write(hw_gintc, vcpu.arch.gintc)
    this_cpu_write(hw_gstat, vcpu.arch.gstat)

    vcpu.arch.hwcsr_usable = True
