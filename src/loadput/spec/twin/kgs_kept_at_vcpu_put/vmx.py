"""arch/x86/kvm/vmx/vmx.c, restoring the host's state only where the scheduler puts."""


# [Modified in twin:kgs_kept_at_vcpu_put]
def vmx_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As vmx_vcpu_put(), but only where the scheduler puts."""
    vmx_vcpu_pi_put(vcpu)
    if vcpu.scheduled_out:
        vmx_prepare_switch_to_host(to_vmx(vcpu))
