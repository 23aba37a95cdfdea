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
    source="kvm_arch_vcpu_put(), arch/s390/kvm/kvm-s390.c; gmap_disable(), arch/s390/mm/gmap.c, v6.12",
    twin="s390_put_keeps_gmap",
    needs="sie64a",
)
@at_entry(__switch_to)
@at_exit(arch_exit_to_user_mode_prepare)
def GMAP_GIVEN_BACK() -> bool:
    """Where the CPU switches tasks, or returns to user mode, it uses no guest's address space."""
    return this_cpu(lowcore_gmap) == NULL


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
    source="kvm_s390_handle_requests(), kvm_gmap_notifier(), arch/s390/kvm/kvm-s390.c, v6.12;"
    " _gmap_unmap_prefix(), arch/s390/kvm/gmap/gmap.c, v7.3",
    twin="s390_prefix_without_lock",
    where="prefix_unmaps",
)
@at_entry(guest_runs)
def TLB_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest runs in SIE only while the pages of its prefix are mapped: whoever unmaps them has taken
    it out before, and it comes back when they are mapped again."""
    return vcpu.arch.prefix_notif
