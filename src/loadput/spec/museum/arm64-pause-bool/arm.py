"""arch/arm64/kvm/arm.c, as it was."""


# [Modified in museum:arm64-pause-bool]
def kvm_arm_halt_guest(kvm: ptr[kvm]):
    """The bit is set; it may be set already."""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            vcpu.arch.pause = True
    kvm_make_all_cpus_request(kvm, KVM_REQ_SLEEP)


# [Modified in museum:arm64-pause-bool]
def kvm_arm_resume_guest(kvm: ptr[kvm]):
    """The bit is cleared for everybody."""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            vcpu.arch.pause = False
            __kvm_vcpu_wake_up(vcpu)
