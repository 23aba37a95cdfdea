"""arch/x86/kvm/svm/avic.c of v7.3, broken."""


# [Modified in twin:avic_load_while_blocking]
def avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As avic_vcpu_load(), without the test of kvm_vcpu_is_blocking()."""
    __avic_vcpu_load(vcpu, cpu, AVIC_RUNNING)
