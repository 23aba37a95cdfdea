"""Drawn: plant."""


# [Modified in twin:interpreter_arm64_kvm_arch_vcpu_should_kick_9bed]
def kvm_arch_vcpu_should_kick(vcpu: ptr[kvm_vcpu]) -> bool:
    __schedule(True)
    return kvm_vcpu_exiting_guest_mode(vcpu) == IN_GUEST_MODE
