"""What load and put must keep true on s390.

A property names what only s390 has, so it is asked only there.
"""


@property_(
    source="kvm_arch_vcpu_load(), arch/s390/kvm/kvm-s390.c, v6.12",
    twin="s390_load_forgets_cpu",
    needs="sie64a",
)
@at_entry(guest_runs)
def CPU_FIELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """While the guest has the CPU, vcpu->cpu is that CPU."""
    return vcpu.cpu == smp_processor_id()


@property_(
    source="kvm_arch_vcpu_put(), arch/s390/kvm/kvm-s390.c, v6.12",
    twin="s390_put_keeps_cpu",
    needs="sie64a",
)
@at_entry(__switch_to)
def CPU_FIELD_PUT(prev: ptr[task_struct]) -> bool:
    """Once the scheduler has put a vCPU, vcpu->cpu is -1."""
    return prev.vcpu == NULL or prev.vcpu.cpu == -1 or may_be_others(prev)


@property_(
    source="kvm_arch_vcpu_load(), arch/s390/kvm/kvm-s390.c; gmap_enable(), arch/s390/mm/gmap.c, v6.12",
    twin="s390_put_keeps_no_gmap",
)
@at_entry(guest_runs)
def GUEST_STATE_COHERENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest finds its own access registers on the CPU, and its VM's address space is the one that
    the CPU uses for it."""
    return this_cpu(lowcore_gmap) == vcpu.kvm and this_cpu(hw_guest_acrs) == token_of(vcpu)


@property_(
    source="kvm_arch_vcpu_put(), arch/s390/kvm/kvm-s390.c; gmap_disable(), arch/s390/mm/gmap.c, v6.12",
    twin="s390_put_keeps_gmap",
    needs="sie64a",
)
@at_entry(__switch_to)
def HOST_RESTORED_BEFORE_SWITCH(prev: ptr[task_struct]) -> bool:
    """When the CPU switches tasks, it uses no guest's address space."""
    return this_cpu(lowcore_gmap) == NULL


@property_(
    source="store_regs(), arch/s390/kvm/kvm-s390.c, v6.12",
    twin="s390_user_finds_guest_acrs",
    needs="sie64a",
)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_RESTORED_AT_USER() -> bool:
    """A task that returns to user mode finds its own access registers, and the CPU no guest's address
    space."""
    return this_cpu(hw_acrs) == token_of(current) and this_cpu(lowcore_gmap) == NULL


@property_(
    source="kvm_s390_set_cpuflags(vcpu, CPUSTAT_RUNNING), arch/s390/kvm/kvm-s390.c, v6.12: SIGP asks it",
    twin="s390_put_keeps_running",
)
@at_entry(__switch_to)
def SIE_RUNNING(prev: ptr[task_struct]) -> bool:
    """A vCPU whose task has lost its CPU is not marked as running, which other vCPUs' SIGP would
    believe."""
    running = prev.vcpu != NULL and prev.vcpu.arch.sie_block.running
    return not running or may_be_others(prev)


@property_(
    source="kvm_s390_sync_request(), exit_sie(), __sie64a, arch/s390, v6.12",
    twin="s390_request_without_exit",
    where="prefix_unmaps",
)
@at_entry(guest_runs)
def SYNC_REQUEST(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest does not run once a synchronous request for it has returned, before it is handled."""
    return not vcpu.requests[KVM_REQ_REFRESH_GUEST_PREFIX] or vcpu.in_sync_request


@monitor
@at_entry(kvm_s390_sync_request)
def sync_request_begins(req: upto[3], vcpu: ptr[kvm_vcpu]):
    vcpu.in_sync_request = True


@monitor
@at_exit(kvm_s390_sync_request)
def sync_request_ends(req: upto[3], vcpu: ptr[kvm_vcpu]):
    vcpu.in_sync_request = False


class kvm_vcpu(struct):
    in_sync_request: ghost[bool]
