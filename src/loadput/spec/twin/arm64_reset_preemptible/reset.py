# [Modified in twin:arm64_reset_preemptible]
def kvm_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """The preempt notifiers may put and load in between."""
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    kvm_reset_sys_regs(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
