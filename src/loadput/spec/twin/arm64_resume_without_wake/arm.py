# [Modified in twin:arm64_resume_without_wake]
def kvm_arm_resume_guest(kvm: ptr[kvm]):
    """The vCPUs may run, and nobody tells them."""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            atomic_dec(vcpu.arch.pause)
