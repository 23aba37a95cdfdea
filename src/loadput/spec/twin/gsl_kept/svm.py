"""arch/x86/kvm/svm/svm.c, keeping guest_state_loaded across a switch of tasks."""


# [Modified in twin:gsl_kept]
def svm_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_put(), but not where the scheduler puts."""
    if not vcpu.scheduled_out:
        svm_prepare_host_switch(vcpu)
