"""arch/x86/kvm/svm/avic.c, broken."""


# [Modified in twin:avic_load_while_blocking]
def avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As avic_vcpu_load(), without the test of kvm_vcpu_is_blocking()."""
    local_irq_save(flags)
    entry = addr(to_svm(vcpu).avic_physical_id_cache)
    WARN_ON_ONCE(READ_ONCE(entry.is_running))
    with atomic:
        entry.host_physical_id = cpu
        entry.is_running = True
    local_irq_restore(flags)
