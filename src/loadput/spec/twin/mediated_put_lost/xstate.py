"""arch/x86/kvm, broken."""


# [Modified in twin:mediated_put_lost]
def kvm_mediated_pmu_put(vcpu: ptr[kvm_vcpu]):
    """The counters stay."""
    pass
