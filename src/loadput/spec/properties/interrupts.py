"""What becomes of an interrupt that was posted for a vCPU, where the architecture says what it does
about one: is_injected(), is_kicked().
"""

# The vCPU for which this CPU posts an interrupt, until it has woken or kicked it.
posting_for: per_cpu[ghost[ptr[kvm_vcpu]]]


class kvm_vcpu(struct):
    owes_interrupt: ghost[bool]


@property_(
    source="kvm_queue_irq(), _kvm_vcpu_put(), arch/loongarch/kvm; kvm_vz_queue_irq(), kvm_vz_vcpu_put(),"
    " arch/mips/kvm, v6.12",
    twin="loongarch_put_forgets_gintc",
    needs="is_injected",
)
@at_entry(guest_runs)
def INTERRUPT_KEPT(vcpu: ptr[kvm_vcpu]) -> bool:
    """An interrupt that was posted stays pending, or in the CPU's registers where its guest runs,
    until the guest takes it."""
    return not vcpu.owes_interrupt or vcpu.irq_pending or is_injected(vcpu)


@property_(
    source="kvm_vcpu_kick(), virt/kvm/kvm_main.c; kvm_pre_enter_guest(), arch/loongarch/kvm/vcpu.c, v6.12",
    twin="loongarch_mode_set_late",
    needs="is_kicked",
)
@at_entry(guest_runs)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def NO_LOST_INTERRUPT(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest does not run with an interrupt pending that it does not get, unless whoever posted it is
    not done, or the guest is about to be interrupted for it."""
    if is_kicked(vcpu) or not vcpu.irq_pending:
        return True
    for c in each(cpu):
        if per_cpu(posting_for, c) == vcpu:
            return True
    return False


@monitor
@at_exit(choose_vcpu)
def interrupt_is_posted(ret: ptr[kvm_vcpu]):
    ret.owes_interrupt = True
    this_cpu_write(posting_for, ret)


@monitor
@at_exit(device_interrupt)
def interrupt_is_told():
    this_cpu_write(posting_for, NULL)


@monitor
@at_exit(guest_runs)
def interrupt_is_taken(vcpu: ptr[kvm_vcpu]):
    vcpu.owes_interrupt = vcpu.irq_pending
