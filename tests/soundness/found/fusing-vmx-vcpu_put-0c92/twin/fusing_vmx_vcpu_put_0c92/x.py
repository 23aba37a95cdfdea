"""Drawn: probe, swap."""


# [Modified in twin:fusing_vmx_vcpu_put_0c92]
def kvm_x86_vcpu_put(vcpu: ptr[kvm_vcpu]):
    seen_0 = vcpu.immediate_exit
    vmx_vcpu_put(vcpu)
    probe_0(seen_0, vcpu.immediate_exit)


# [Modified in twin:fusing_vmx_vcpu_put_0c92]
def vcpu_put(vcpu: ptr[kvm_vcpu]):
    kvm_arch_vcpu_put(vcpu)
    preempt_disable()
    preempt_notifier_unregister(addr(vcpu.preempt_notifier))
    __this_cpu_write(kvm_running_vcpu, NULL)
    preempt_enable()

# [New in twin:fusing_vmx_vcpu_put_0c92]
def probe_0(was: bool, now: bool):
    """A place to look."""
    pass


@property_(source="ours")
@at_entry(probe_0)
def PROBE_0(was: bool, now: bool) -> bool:
    """Nobody wrote what was read, between the two times."""
    return was == now

