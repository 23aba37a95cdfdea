"""The inner helper."""


# [New in design:B-inner]
def __kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Load, but not for the scheduler.

    Mirrors: nothing: the cover letter has it in words only
    """
    kvm_arch_vcpu_load(vcpu, cpu, False)
