"""arch/x86/kvm/svm/svm.c, as it was."""


# [Modified in museum:svm-tsc-ratio-cache]
def svm_write_tsc_multiplier(vcpu: ptr[kvm_vcpu]):
    """The MSR alone, whether the guest's state is loaded or not."""
    this_cpu_write(hw_tsc_ratio, vcpu.arch.tsc_scaling_ratio)
