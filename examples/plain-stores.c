/* The two notifiers with plain stores instead of WRITE_ONCE(). */
static void kvm_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *vcpu = preempt_notifier_to_vcpu(pn);

	vcpu->preempted = false;
	vcpu->ready = false;

	__this_cpu_write(kvm_running_vcpu, vcpu);
	kvm_arch_vcpu_load(vcpu, cpu);

	vcpu->scheduled_out = false;
}

static void kvm_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *vcpu = preempt_notifier_to_vcpu(pn);

	vcpu->scheduled_out = true;

	if (task_is_runnable(current) && vcpu->wants_to_run) {
		vcpu->preempted = true;
		vcpu->ready = true;
	}
	kvm_arch_vcpu_put(vcpu);
	__this_cpu_write(kvm_running_vcpu, NULL);
}
