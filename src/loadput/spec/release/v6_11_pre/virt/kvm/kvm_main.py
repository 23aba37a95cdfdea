"""What v6.11 changed after scheduled_out was there.

Mirrors: virt/kvm/kvm_main.c, Linux commit 2a27c4314007 (in v6.11)
"""


# [Modified in release:v6.11-pre]
def kvm_sched_out(pn: ptr[preempt_notifier], next: ptr[task_struct]):
    """Put the vCPU whose task is being switched out.

    Mirrors: kvm_sched_out(), virt/kvm/kvm_main.c, before Linux commit 118964562969 ("KVM: Mark a
    vCPU as preempted/ready iff it's scheduled out while running") (in v6.11)
    """
    vcpu = preempt_notifier_to_vcpu(pn)

    WRITE_ONCE(vcpu.scheduled_out, True)

    if current.on_rq:
        WRITE_ONCE(vcpu.preempted, True)
        WRITE_ONCE(vcpu.ready, True)

    kvm_arch_vcpu_put(vcpu)
    __this_cpu_write(kvm_running_vcpu, NULL)
