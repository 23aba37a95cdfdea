"""What VZ has on the CPU of a guest.

Mirrors: arch/mips/kvm/vz.c, v6.12
"""

# The guest changes its own page table, and flushes the CPU that it is on.
guest_maps = False

# How many GuestIDs a CPU has for guests: as many as GUESTID_MASK says, but for the root's.
GUESTIDS = 2


# vzguestid of a CPU is 0 where its version is not that of the CPU's guestid_cache.
class kvm_vcpu_arch(struct):
    last_exec_cpu: cpu = -1
    vzguestid: array[upto[2], cpu]
    page_table: ghost[token[translation, vcpu]] = own


# guestid_cache of cpu_data[], without its version, and whether that is GUESTID_FIRST_VERSION.
guestid_cache: per_cpu[upto[2]]
guestid_version_is_first: per_cpu[bool] = 1

# One slot a CPU: the newest translation in the guest TLB there, and the GuestID that it is under.
hw_guesttlb: per_cpu[copy[token[translation, vcpu]]]
hw_guesttlb_id: per_cpu[upto[2]]


# [New in arch:mips]
def kvm_vz_get_new_guestid(vcpu: ptr[kvm_vcpu]):
    """A GuestID that nobody has on this CPU: what the vCPU left here is out of its reach. Where they run
    out, the TLB is flushed and a new version begins: nobody's is of it.

    Mirrors: kvm_vz_get_new_guestid(), arch/mips/kvm/vz.c, v6.12
    """
    if this_cpu(guestid_cache) == GUESTIDS:
        forget_guestids()
        this_cpu_write(guestid_version_is_first, False)
        kvm_vz_local_flush_guesttlb_all()
        this_cpu_write(guestid_cache, 0)
    this_cpu_write(guestid_cache, this_cpu(guestid_cache) + 1)
    vcpu.arch.vzguestid[smp_processor_id()] = this_cpu(guestid_cache)


# [New in arch:mips]
def forget_guestids():
    """Ours: every vCPU's vzguestid is of another version than this CPU's guestid_cache."""
    for v in each(kvm_vcpu):
        v.arch.vzguestid[smp_processor_id()] = 0


# [New in arch:mips]
def kvm_vz_local_flush_guesttlb_all():
    """Mirrors: kvm_vz_local_flush_guesttlb_all(), arch/mips/kvm/tlb.c, v6.12"""
    this_cpu_write(hw_guesttlb, 0)
    this_cpu_write(hw_guesttlb_id, 0)


# [New in arch:mips]
def kvm_vz_vcpu_load_tlb(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_vz_vcpu_load_tlb(), arch/mips/kvm/vz.c, v6.12; only where a scenario sets guest_maps

    Omits: a CPU without GuestIDs, which flushes where another vCPU ran; root ASIDs
    """
    if not guest_maps:
        return
    migrated = vcpu.arch.last_exec_cpu != cpu
    vcpu.arch.last_exec_cpu = cpu

    if migrated or vcpu.arch.vzguestid[cpu] == 0:
        kvm_vz_get_new_guestid(vcpu)


# [New in arch:mips]
def kvm_vz_vcpu_save_wired(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vz_vcpu_save_wired(), arch/mips/kvm/vz.c, v6.12"""
    vcpu.arch.wired_tlb = this_cpu_read(hw_wired)


# [New in arch:mips]
def kvm_vz_vcpu_load_wired(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vz_vcpu_load_wired(), arch/mips/kvm/vz.c, v6.12

    Omits: CP0_Wired apart from the entries: the kernel gives it back at every load
    """
    this_cpu_write(hw_wired, vcpu.arch.wired_tlb)


# [New in arch:mips]
def kvm_vz_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_vz_vcpu_load(), arch/mips/kvm/vz.c, v6.12

    Omits: timer, GuestCtl0.MC, the LL bit
    """
    migrated = vcpu.arch.last_sched_cpu != cpu

    all = migrated or per_cpu(last_vcpu, cpu) != vcpu
    this_cpu_write(last_vcpu, vcpu)

    if current.thread.pf_vcpu:
        kvm_vz_vcpu_load_tlb(vcpu, cpu)
        kvm_vz_vcpu_load_wired(vcpu)

    if not all:
        return

    this_cpu_write(hw_gc0, vcpu.arch.cop0)

    this_cpu_write(hw_guestctl2, vcpu.arch.guestctl2)


# [New in arch:mips]
def kvm_vz_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_vz_vcpu_put(), arch/mips/kvm/vz.c, v6.12

    Omits: timer. Wired is cleared on the CPU: whoever comes next may overwrite the entries.
    """
    if current.thread.pf_vcpu:
        kvm_vz_vcpu_save_wired(vcpu)

    kvm_lose_fpu(vcpu)

    vcpu.arch.cop0 = this_cpu_read(hw_gc0)
    this_cpu_write(hw_wired, 0)

    vcpu.arch.guestctl2 = this_cpu_read(hw_guestctl2)


# [Modified in arch:mips]
def kvm_arch_enable_virtualization_cpu():
    """A CPU that slept comes back without the guest's CP0 registers; what it was about to inject is
    cleared.

    Mirrors: kvm_vz_enable_virtualization_cpu(), arch/mips/kvm/vz.c, v6.12, which leaves last_vcpu[]
    Omits: TLB sizes, GuestCtl0
    """
    this_cpu_write(hw_gc0, 0)
    this_cpu_write(hw_guestctl2, False)
    if guest_maps:
        start_guestids()


# [New in arch:mips]
def start_guestids():
    """The CPU counts its GuestIDs from the first one of the first version, with nothing in its TLB. What
    vCPUs have of that version from before looks as if it were valid.

    Mirrors: kvm_vz_enable_virtualization_cpu() where it sets guestid_cache, arch/mips/kvm/vz.c, v6.12
    Omits: what they have of it where the CPU has had another version since: it is forgotten
    """
    kvm_vz_local_flush_guesttlb_all()
    if not this_cpu(guestid_version_is_first):
        forget_guestids()
    this_cpu_write(guestid_version_is_first, True)
    this_cpu_write(guestid_cache, 0)


# [New in arch:mips]
def kvm_vz_vcpu_reenter(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vz_vcpu_reenter(), arch/mips/kvm/vz.c, v6.12; Omits: TLB flush requests"""
    kvm_vz_vcpu_load_tlb(vcpu, smp_processor_id())


# [New in arch:mips]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest changes its page table and flushes this CPU, or does not; then it walks it."""
    if guest_maps:
        if choose():
            fresh(vcpu.arch.page_table, vcpu)
        this_cpu_write(hw_guesttlb, token_of(vcpu))
        this_cpu_write(hw_guesttlb_id, vcpu.arch.vzguestid[smp_processor_id()])


# [New in arch:mips]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. It finds its registers, changes them, takes the interrupt
    that is in GuestCtl2. What memory has of its FP registers and wired entries is old: nobody's."""
    fresh(this_cpu(hw_gc0), vcpu)
    vcpu.arch.wired_tlb = 0
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = 0
    guest_uses_memory(vcpu)
    this_cpu_write(hw_guestctl2, False)


# [New in arch:mips]
def kvm_vz_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Enter the guest, handle what it comes out for, and enter again while that says so.

    Mirrors: kvm_vz_vcpu_run(), arch/mips/kvm/vz.c; kvm_mips_build_vcpu_run(),
    kvm_mips_build_exit(), arch/mips/kvm/entry.c, v6.12
    Context: IRQs off at entry and exit
    Omits: timer, TLB flush requests
    """
    kvm_mips_deliver_interrupts(vcpu)

    kvm_vz_vcpu_load_tlb(vcpu, smp_processor_id())
    kvm_vz_vcpu_load_wired(vcpu)

    ret = RESUME_GUEST
    while ret == RESUME_GUEST:
        with atomic:
            guest_runs(vcpu)
        ret = kvm_mips_handle_exit(vcpu, choose(EXCCODE_INT, EXCCODE_GE))

    kvm_vz_vcpu_save_wired(vcpu)
