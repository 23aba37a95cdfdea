/* Ours: also a vCPU whose task goes to sleep is marked. */
static void kvm_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *v = preempt_notifier_to_vcpu(pn);

	WRITE_ONCE(v->scheduled_out, true);
	if (v->wants_to_run) {
		WRITE_ONCE(v->preempted, true);
		WRITE_ONCE(v->ready, true);
	}
	kvm_arch_vcpu_put(v);
	__this_cpu_write(kvm_running_vcpu, NULL);
}
