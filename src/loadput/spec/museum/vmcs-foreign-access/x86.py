"""virt/kvm/kvm_main.c, as it was: there was no kvm_arch_dy_runnable()."""


# [Modified in museum:vmcs-foreign-access]
def kvm_arch_dy_runnable(vcpu: ptr[kvm_vcpu]) -> bool:
    """The test of the vCPU's own thread, which moves PIR to IRR and RVI."""
    return kvm_arch_vcpu_runnable(vcpu)
