"""arch/x86/kvm/svm/svm.c, as it was."""


# [Modified in museum:svm-vmcb-cpu-on-switch]
def svm_switch_vmcb(svm: ptr[vcpu_svm], target_vmcb: upto[1]):
    """With the CPU that the vCPU is loaded on."""
    svm.current_vmcb = target_vmcb
    svm.vmcb_cpu[svm.current_vmcb] = vcpu_of(svm).cpu
