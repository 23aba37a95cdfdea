"""arch/x86/kvm/svm/sev.c, broken; the first vCPU's guest has SEV-ES, the other's not."""

# The vCPUs whose guests' registers are protected, a bit each.
sev_es_vcpus: setting[upto[15]] = 1


# [Modified in twin:sev_es_tsc_aux_primed]
def sev_es_prepare_switch_to_guest(svm: ptr[vcpu_svm], hostsa: ptr[vmcb_save_area]):
    """As sev_es_prepare_switch_to_guest(), without TSC_AUX."""
    hostsa.pkru = this_cpu(hw_pkru)
