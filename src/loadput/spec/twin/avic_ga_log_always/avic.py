"""arch/x86/kvm/svm/avic.c, broken."""


# [Modified in twin:avic_ga_log_always]
def avic_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As avic_vcpu_put(), whether the vCPU waits or not."""
    entry = addr(to_svm(vcpu).avic_physical_id_entry)

    if not entry.is_running:
        return

    __avic_vcpu_put(vcpu, AVIC_START_BLOCKING)
