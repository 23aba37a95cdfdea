"""arch/x86/kvm/vmx/vmx.c, skipping at sched_out what AMD may skip at sched_in."""


# [Modified in twin:kgs_kept]
def vmx_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As vmx_vcpu_put(), but not where the scheduler puts."""
    vmx_vcpu_pi_put(vcpu)
    if not vcpu.scheduled_out:
        vmx_prepare_switch_to_host(to_vmx(vcpu))
