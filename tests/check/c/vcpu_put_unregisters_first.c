/* Ours: preemption is off, so nobody can look at the list in between. */
void vcpu_put(struct kvm_vcpu *v)
{
	preempt_disable();
	preempt_notifier_unregister(&v->preempt_notifier);
	kvm_arch_vcpu_put(v);
	__this_cpu_write(kvm_running_vcpu, NULL);
	preempt_enable();
}
