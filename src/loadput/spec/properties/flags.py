"""The flags that tell other code how a vCPU came to lose or get its CPU."""

VIA_NONE = 0
VIA_VCPU_LOAD = 1
VIA_SCHED_IN = 2
VIA_VCPU_PUT = 3
VIA_SCHED_OUT = 4


class task_struct(struct):
    via: ghost[upto[4]]
    in_kvm_run: ghost[bool]


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
    current.in_kvm_run = vcpu.wants_to_run


@monitor
@at_exit(kvm_arch_vcpu_ioctl_run)
def kvm_run_ends(vcpu: ptr[kvm_vcpu]):
    current.in_kvm_run = False


@property_(source="fact sheet 5.6; v2 cover 20240522014013.1672962-1-seanjc@google.com", twin="clear_before_load")
@at_entry(kvm_arch_vcpu_load)
def SOUT_AT_LOAD(vcpu: ptr[kvm_vcpu]) -> bool:
    """The arch code sees scheduled_out exactly when the scheduler brought the task back."""
    return vcpu.scheduled_out == (current.via == VIA_SCHED_IN)
