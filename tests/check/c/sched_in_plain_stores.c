/* Ours: no WRITE_ONCE. Other tasks read preempted and ready, nobody else scheduled_out. */
static void kvm_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *v = preempt_notifier_to_vcpu(pn);

	v->preempted = false;
	v->ready = false;
	__this_cpu_write(kvm_running_vcpu, v);
	kvm_arch_vcpu_load(v, cpu);
	v->scheduled_out = false;
}
