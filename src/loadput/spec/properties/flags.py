"""The flags that tell other code how a vCPU came to lose or get its CPU."""

VIA_NONE = 0
VIA_VCPU_LOAD = 1
VIA_SCHED_IN = 2
VIA_VCPU_PUT = 3
VIA_SCHED_OUT = 4


class task_struct(struct):
    via: ghost[upto[4]]
    in_kvm_run: ghost[bool]
    # The scheduler took its CPU because it asked to sleep, and no signal kept it from that; until it
    # is back.
    blocks: ghost[bool]


@monitor
@at_exit(try_to_block_task)
def task_blocks(p: ptr[task_struct]):
    if p.preempt_notifiers:
        p.blocks = p.__state != TASK_RUNNING


@monitor
@at_exit(kvm_sched_in)
def task_is_back():
    current.blocks = False


@monitor
@at_entry(vcpu_load)
def via_vcpu_load(vcpu: ptr[kvm_vcpu]):
    current.via = VIA_VCPU_LOAD


@monitor
@at_entry(kvm_sched_in)
def via_sched_in(pn: ptr[preempt_notifier]):
    current.via = VIA_SCHED_IN


@monitor
@at_entry(vcpu_put)
def via_vcpu_put(vcpu: ptr[kvm_vcpu]):
    current.via = VIA_VCPU_PUT


@monitor
@at_entry(kvm_sched_out)
def via_sched_out(pn: ptr[preempt_notifier]):
    current.via = VIA_SCHED_OUT


@monitor
@at_exit(vcpu_load)
@at_exit(kvm_sched_in)
@at_exit(vcpu_put)
@at_exit(kvm_sched_out)
def via_nothing():
    current.via = VIA_NONE


@monitor
@at_entry(kvm_arch_vcpu_ioctl_run)
def kvm_run_begins(vcpu: ptr[kvm_vcpu]):
    current.in_kvm_run = True


@monitor
@at_exit(kvm_arch_vcpu_ioctl_run)
def kvm_run_ends(vcpu: ptr[kvm_vcpu]):
    current.in_kvm_run = False


@property_(
    source='Linux commit d1ae567fb8b5 ("KVM: Add a flag to track if a loaded vCPU is scheduled out")',
    twin="sout_cleared_before_load",
    needs="kvm_vcpu.scheduled_out",
)
@at_entry(kvm_arch_vcpu_load)
def SOUT_AT_LOAD(vcpu: ptr[kvm_vcpu]) -> bool:
    """The load sees scheduled_out exactly when the scheduler brought the task back."""
    return vcpu.scheduled_out == (current.via == VIA_SCHED_IN)


@property_(
    source='Linux commit d1ae567fb8b5 ("KVM: Add a flag to track if a loaded vCPU is scheduled out")',
    twin="sout_set_after_put",
    needs="kvm_vcpu.scheduled_out",
)
@at_entry(kvm_arch_vcpu_put)
def SOUT_AT_PUT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The put sees scheduled_out exactly when the scheduler takes the CPU away."""
    return vcpu.scheduled_out == (current.via == VIA_SCHED_OUT)


@property_(
    source="cover letter of v1, Message-ID 20240430193157.419425-1-seanjc@google.com",
    twin="sched_in_true_at_vcpu_load",
)
@at_entry(kvm_arch_vcpu_load)
def SCHED_IN_ARGUMENT(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool) -> bool:
    """Where the load has a sched_in argument, it is true exactly for the scheduler's loads."""
    return sched_in == (current.via == VIA_SCHED_IN)


@property_(
    source="virt/kvm/kvm_main.c kvm_sched_out(), kvm_sched_in(), v6.12",
    twin="sout_set_after_put",
    needs="kvm_vcpu.scheduled_out",
)
@at_entry(kvm_arch_vcpu_put)
@at_entry(kvm_arch_vcpu_load)
def PREEMPTED_IMPLIES_SOUT(vcpu: ptr[kvm_vcpu]) -> bool:
    """For the task itself, a vCPU that is marked preempted is marked scheduled_out."""
    return not vcpu.preempted or vcpu.scheduled_out


@property_(
    source="virt/kvm/kvm_main.c kvm_sched_in(), v6.12; Message-ID ZjJRhQhX_12eBvY-@google.com",
    twin="flags_cleared_late",
)
@at_entry(kvm_arch_vcpu_load)
def ASYMMETRY(vcpu: ptr[kvm_vcpu]) -> bool:
    """At every load preempted is already cleared, unlike scheduled_out; where the scheduler loads,
    ready too, but for a wakeup that ended since.
    """
    cleared = current.via != VIA_SCHED_IN or not vcpu.ready or current.may_be_marked
    return not vcpu.preempted and cleared


class task_struct(struct):
    # It comes back while its waker is not done, or was preempted and may be woken meanwhile.
    may_be_marked: ghost[bool]


class kvm_vcpu(struct):
    # How many wake it just now, and may store ready; that a store may wait is asked beside it.
    wakers: ghost[upto[4]]


@monitor
@at_entry(kvm_vcpu_wake_up)
def wakes_it(vcpu: ptr[kvm_vcpu]):
    vcpu.wakers = vcpu.wakers + 1


@monitor
@at_exit(kvm_vcpu_wake_up)
def has_woken_it(vcpu: ptr[kvm_vcpu]):
    vcpu.wakers = vcpu.wakers - 1


@monitor
@at_entry(kvm_sched_in)
def comes_back(pn: ptr[preempt_notifier]):
    vcpu = preempt_notifier_to_vcpu(pn)
    may_be_woken = not current.blocks and vcpu.device_irqs
    current.may_be_marked = may_be_woken or vcpu.wakers != 0 or store_waits(vcpu.ready)


@monitor
@at_exit(kvm_arch_vcpu_load)
def has_come_back(vcpu: ptr[kvm_vcpu]):
    current.may_be_marked = False


@property_(
    source='Linux commits 118964562969 ("KVM: Mark a vCPU as preempted/ready iff it\'s scheduled out'
    ' while running"), cd9626e9ebc7 ("sched/fair: Fix external p->on_rq users")',
    twin="preempted_always",
)
@at_entry(kvm_arch_vcpu_put)
def PREEMPTED_IFF_RUN(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU is marked preempted only if its task is inside KVM_RUN, which user space has not asked to
    end at once, and loses the CPU without having gone to sleep.
    """
    runs = current.in_kvm_run and not vcpu.immediate_exit
    return not vcpu.preempted or (runs and not current.blocks)


@property_(
    source="virt/kvm/kvm_main.c kvm_sched_out(), v6.12",
    twin="preempted_never",
)
@at_entry(kvm_arch_vcpu_put)
def PREEMPTED_WHEN_RUNNABLE(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU whose task loses the CPU inside KVM_RUN without having gone to sleep is marked preempted."""
    if current.via != VIA_SCHED_OUT or not current.in_kvm_run or vcpu.immediate_exit:
        return True
    return vcpu.preempted or current.blocks


@property_(
    source="virt/kvm/kvm_main.c kvm_sched_out(), kvm_vcpu_on_spin(), v6.12",
    twin="ready_never_set",
)
@at_entry(kvm_arch_vcpu_put)
def PREEMPTED_IS_READY(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU that is marked preempted is marked ready, so that a directed yield looks at it."""
    return not vcpu.preempted or vcpu.ready


@property_(
    source="virt/kvm/kvm_main.c kvm_vcpu_wake_up(), kvm_vcpu_on_spin(), v6.12",
    twin="ready_never_set",
)
@at_exit(kvm_vcpu_wake_up)
def WOKEN_IS_READY(vcpu: ptr[kvm_vcpu], ret: bool) -> bool:
    """A vCPU that was just woken is marked ready, so that a directed yield looks at it."""
    return not ret or vcpu.ready


@property_(
    source="virt/kvm/kvm_main.c kvm_sched_in(), v6.12",
    twin="flags_never_cleared",
)
@at_entry(kvm_arch_vcpu_put)
def VCPU_PUT_CLEAN(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vcpu_put() finds neither preempted nor scheduled_out set."""
    return current.via != VIA_VCPU_PUT or (not vcpu.preempted and not vcpu.scheduled_out)


@property_(
    source="virt/kvm/kvm_main.c kvm_vcpu_ioctl(), v6.12",
    twin="wants_to_run_kept",
)
@at_entry(kvm_arch_vcpu_load)
@at_entry(kvm_arch_vcpu_put)
def WTR_SCOPE(vcpu: ptr[kvm_vcpu]) -> bool:
    """wants_to_run is set only while its task executes a KVM_RUN that is not to end at once."""
    return not vcpu.wants_to_run or (current.in_kvm_run and not vcpu.immediate_exit)
