/* Ours: the flag goes before the load can look at it. */
static void kvm_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *v = preempt_notifier_to_vcpu(pn);

	WRITE_ONCE(v->scheduled_out, false);
	WRITE_ONCE(v->ready, false);
	WRITE_ONCE(v->preempted, false);
	__this_cpu_write(kvm_running_vcpu, v);
	kvm_arch_vcpu_load(v, cpu);
}
