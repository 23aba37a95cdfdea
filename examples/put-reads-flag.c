/* An idea for VMX: leave the guest's registers in place when the scheduler puts. */
void vmx_vcpu_put(struct kvm_vcpu *vcpu)
{
	vmx_vcpu_pi_put(vcpu);

	if (!vcpu->scheduled_out)
		vmx_prepare_switch_to_host(to_vmx(vcpu));
}
