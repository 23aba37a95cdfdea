"""arch/x86/kvm/svm/svm.c, as it was."""


# [Modified in museum:svm-ibpb-vmcb-aba-offline]
def svm_clear_current_vmcb(vmcb: ptr[vmcb]):
    """for_each_online_cpu()."""
    for i in each(cpu):
        with atomic:
            sd = per_cpu_ptr(addr(svm_data), i)
            if cpu_online(i) and sd.current_vmcb == vmcb:
                sd.current_vmcb = NULL
