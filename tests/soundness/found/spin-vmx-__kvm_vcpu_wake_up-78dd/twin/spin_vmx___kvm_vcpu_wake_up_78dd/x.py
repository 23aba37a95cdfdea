"""Drawn: double."""


# [Modified in twin:spin_vmx___kvm_vcpu_wake_up_78dd]
def __kvm_vcpu_wake_up(vcpu: ptr[kvm_vcpu]) -> bool:
    return rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))
    return rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu))
