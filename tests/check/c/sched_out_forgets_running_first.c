/* Ours: what runs inside the put asks which vCPU runs here, and is told none. */
static void kvm_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *v = preempt_notifier_to_vcpu(pn);

	WRITE_ONCE(v->scheduled_out, true);
	if (task_is_runnable(current) && v->wants_to_run) {
		WRITE_ONCE(v->preempted, true);
		WRITE_ONCE(v->ready, true);
	}
	__this_cpu_write(kvm_running_vcpu, NULL);
	kvm_arch_vcpu_put(v);
}
