"""arch/x86/kvm/svm/sev.c, as it was."""


# [Modified in museum:svm-sev-es-tsc-aux]
def sev_es_prepare_switch_to_guest(svm: ptr[vcpu_svm], hostsa: ptr[vmcb_save_area]):
    """TSC_AUX in the save area is the host's, from svm_enable_virtualization_cpu() on."""
    hostsa.pkru = this_cpu(hw_pkru)
