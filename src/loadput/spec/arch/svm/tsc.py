"""The rate of the guest's TSC: one MSR of the CPU, and what KVM believes that it holds.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12. A vCPU's ratio is a token: its newest is what user space set
last. Only where a scenario sets tsc_scaling.
"""

# The module's tsc_scaling: the CPU has MSR_AMD64_TSC_RATIO.
tsc_scaling = False


class kvm_vcpu_arch(struct):
    tsc_scaling_ratio: token[tsc_ratio, vcpu] = own


# NULL: SVM_TSC_RATIO_DEFAULT.
current_tsc_ratio: per_cpu[copy[token[tsc_ratio, vcpu]]]
hw_tsc_ratio: per_cpu[token[tsc_ratio, vcpu]]


# [New in arch:svm]
def __svm_write_tsc_multiplier(multiplier: token[tsc_ratio, vcpu]):
    """Mirrors: __svm_write_tsc_multiplier(), arch/x86/kvm/svm/svm.c, v6.12

    Context: preemption off
    """
    if multiplier == __this_cpu_read(current_tsc_ratio):
        return

    this_cpu_write(hw_tsc_ratio, multiplier)
    __this_cpu_write(current_tsc_ratio, multiplier)


# [New in arch:svm]
def svm_write_tsc_multiplier(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_write_tsc_multiplier(), arch/x86/kvm/svm/svm.c, v6.12"""
    preempt_disable()
    if to_svm(vcpu).guest_state_loaded:
        __svm_write_tsc_multiplier(vcpu.arch.tsc_scaling_ratio)
    preempt_enable()


# [New in arch:svm]
def kvm_set_tsc_khz(vcpu: ptr[kvm_vcpu]):
    """User space gives the vCPU another TSC rate.

    Mirrors: kvm_set_tsc_khz(), set_tsc_khz(), kvm_vcpu_write_tsc_multiplier(),
    arch/x86/kvm/x86.c, v6.12
    Omits: rates that need no scaling, nested guests
    """
    fresh(vcpu.arch.tsc_scaling_ratio, vcpu)
    svm_write_tsc_multiplier(vcpu)


# [Modified in arch:svm]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: it looks at the vCPU, or is KVM_SET_TSC_KHZ.

    Mirrors: kvm_vcpu_ioctl() case KVM_GET_REGS, virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() case
    KVM_SET_TSC_KHZ, arch/x86/kvm/x86.c, v6.12
    """
    lock_vcpu(vcpu)
    vcpu_load(vcpu)
    if tsc_scaling and choose():
        kvm_set_tsc_khz(vcpu)
    vcpu_put(vcpu)
    unlock_vcpu(vcpu)


# [Modified in arch:svm]
def kvm_x86_disable_virtualization_cpu():
    """The host finds its TSC as it was.

    Mirrors: svm_disable_virtualization_cpu(), arch/x86/kvm/svm/svm.c, v6.12; Omits: EFER.SVME, the PMU
    """
    if tsc_scaling:
        __svm_write_tsc_multiplier(NULL)
