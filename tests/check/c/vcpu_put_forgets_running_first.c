/* Ours: as in sched_out_forgets_running_first.c, where the ioctl ends. */
void vcpu_put(struct kvm_vcpu *v)
{
	preempt_disable();
	__this_cpu_write(kvm_running_vcpu, NULL);
	kvm_arch_vcpu_put(v);
	preempt_notifier_unregister(&v->preempt_notifier);
	preempt_enable();
}
