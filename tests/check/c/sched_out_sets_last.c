/* Ours: the put does not know yet that the scheduler is its caller. */
static void kvm_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *v = preempt_notifier_to_vcpu(pn);

	if (task_is_runnable(current) && v->wants_to_run) {
		WRITE_ONCE(v->preempted, true);
		WRITE_ONCE(v->ready, true);
	}
	kvm_arch_vcpu_put(v);
	__this_cpu_write(kvm_running_vcpu, NULL);
	WRITE_ONCE(v->scheduled_out, true);
}
