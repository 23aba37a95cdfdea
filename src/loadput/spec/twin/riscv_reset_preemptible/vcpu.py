# [Modified in twin:riscv_reset_preemptible]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """The preempt notifiers may put and load in between."""
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    forget_exit_cpu(vcpu)

    reset_registers(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id())
