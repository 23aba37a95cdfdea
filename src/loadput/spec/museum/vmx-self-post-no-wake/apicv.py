"""arch/x86/kvm/vmx/vmx.c, as it was."""


# [Modified in museum:vmx-self-post-no-wake]
def vmx_deliver_posted_interrupt(vcpu: ptr[kvm_vcpu]):
    """The vCPU that is loaded here is taken for one that runs."""
    pi = addr(to_vmx(vcpu).pi_desc)

    if pi_test_and_set_pir(pi):
        return

    if pi_test_and_set_on(pi):
        return

    if vcpu != kvm_get_running_vcpu():
        kvm_vcpu_trigger_posted_interrupt(vcpu)
