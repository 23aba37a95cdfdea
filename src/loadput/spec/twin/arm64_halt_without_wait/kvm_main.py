# [Modified in twin:arm64_halt_without_wait]
def kvm_make_all_cpus_request(kvm: ptr[kvm], req: upto[3]):
    """Asked, and not waited for."""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            kvm_make_request(req, vcpu)
            kvm_vcpu_exiting_guest_mode(vcpu)
