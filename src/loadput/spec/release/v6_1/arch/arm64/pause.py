"""A stopped vCPU in v6.1: one bit, whoever stopped it.

Mirrors: arch/arm64/kvm/arm.c, v6.1
"""


# [Modified in release:v6.1]
def kvm_arm_halt_guest(kvm: ptr[kvm]):
    """Mirrors: kvm_arm_halt_guest(), arch/arm64/kvm/arm.c, v6.1"""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            vcpu.arch.pause = True
    kvm_make_all_cpus_request(kvm, KVM_REQ_SLEEP)


# [Modified in release:v6.1]
def kvm_arm_resume_guest(kvm: ptr[kvm]):
    """Mirrors: kvm_arm_resume_guest(), arch/arm64/kvm/arm.c, v6.1"""
    for vcpu in each(kvm_vcpu):
        if vcpu.kvm == kvm:
            vcpu.arch.pause = False
            __kvm_vcpu_wake_up(vcpu)
