"""ASIDs, the TLB that they tag, and the clean bits of a VMCB.

Mirrors: arch/x86/kvm/svm/svm.c, v6.12. A vCPU has two VMCBs, VMCB01 for its guest and VMCB02 for a
nested one; what the kernel has in struct kvm_vmcb_info and in the page is here by their number. One
clean bit stands for all. A CPU's TLB has one entry per ASID: whose, and whether the guest has
changed the mapping since. Only where a scenario sets asids.
"""

# ASIDs, and the TLBs that they tag, are modelled.
asids = False

# The least and the greatest ASID of a CPU.
min_asid = 1
max_asid = 2

VMCB01 = 0
VMCB02 = 1

TLB_CONTROL_DO_NOTHING = 0
TLB_CONTROL_FLUSH_ALL_ASID = 1
TLB_CONTROL_FLUSH_ASID = 2


class vcpu_svm(struct):
    current_vmcb: upto[1]
    asid: upto[3]
    vmcb_cpu: array[cpu, 2] = -1
    asid_generation: array[upto[2], 2]
    tlb_ctl: array[upto[2], 2]
    vmcb_clean: array[bool, 2]


class svm_cpu_data(struct):
    asid_generation: upto[2] = 1
    next_asid: upto[4] = 3
    flush_all_asids: bool


hw_guest_tlb: per_cpu[copy[array[token[translation, vcpu], 4]]]


# [New in arch:svm]
def new_asid(svm: ptr[vcpu_svm], sd: ptr[svm_cpu_data]):
    """Mirrors: new_asid(), arch/x86/kvm/svm/svm.c, v6.12"""
    if sd.next_asid > max_asid:
        next_generation(sd)
        sd.next_asid = min_asid
        sd.flush_all_asids = True

    svm.asid_generation[svm.current_vmcb] = sd.asid_generation
    svm.asid = sd.next_asid
    sd.next_asid += 1


# [New in arch:svm]
def next_generation(sd: ptr[svm_cpu_data]):
    """Ours: ++sd->asid_generation. Numbers of 64 bits do not come again; here there are two, and what
    still has the one that comes is older than both: 0, which matches none. Those of other CPUs may
    match by chance, as in the kernel.
    """
    with atomic:
        new = 3 - sd.asid_generation
        for v in each(kvm_vcpu):
            for nr in range(2):
                if to_svm(v).vmcb_cpu[nr] == sd - 1 and to_svm(v).asid_generation[nr] == new:
                    to_svm(v).asid_generation[nr] = 0
        sd.asid_generation = new


# [New in arch:svm]
def vmcb_mark_all_dirty(svm: ptr[vcpu_svm]):
    """Mirrors: vmcb_mark_all_dirty(), arch/x86/kvm/svm/svm.h, v6.12: of the current VMCB"""
    svm.vmcb_clean[svm.current_vmcb] = False


# [New in arch:svm]
def vmcb_mark_all_clean(svm: ptr[vcpu_svm]):
    """Mirrors: vmcb_mark_all_clean(), arch/x86/kvm/svm/svm.h, v6.12: of the current VMCB"""
    svm.vmcb_clean[svm.current_vmcb] = True


# [New in arch:svm]
def pre_svm_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: pre_svm_run(), arch/x86/kvm/svm/svm.c, v6.12.y, which resets the generation of both
    VMCBs, as v7.3 does; v7.2 resets that of the current one only

    Context: IRQs off
    Omits: SEV
    """
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)
    svm = to_svm(vcpu)

    if svm.vmcb_cpu[svm.current_vmcb] != vcpu.cpu:
        vmcb_mark_all_dirty(svm)
        svm.vmcb_cpu[svm.current_vmcb] = vcpu.cpu
        svm.asid_generation[VMCB01] = 0
        svm.asid_generation[VMCB02] = 0

    if svm.asid_generation[svm.current_vmcb] != sd.asid_generation:
        new_asid(svm, sd)


# [New in arch:svm]
def svm_prepare_asid(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run() from pre_svm_run() to the test of flush_all_asids,
    arch/x86/kvm/svm/svm.c, v6.12

    Omits: control.asid, which follows svm->asid, and its own clean bit
    """
    pre_svm_run(vcpu)
    svm = to_svm(vcpu)
    if this_cpu_ptr(addr(svm_data)).flush_all_asids:
        svm.tlb_ctl[svm.current_vmcb] = TLB_CONTROL_FLUSH_ALL_ASID


# [New in arch:svm]
def svm_vmrun_is_done(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run() where it marks the VMCB all clean, arch/x86/kvm/svm/svm.c, v6.12

    Omits: SVM_EXIT_ERR
    """
    svm = to_svm(vcpu)
    this_cpu_ptr(addr(svm_data)).flush_all_asids = False
    svm.tlb_ctl[svm.current_vmcb] = TLB_CONTROL_DO_NOTHING
    vmcb_mark_all_clean(svm)


# [New in arch:svm]
def vmrun_flushes(svm: ptr[vcpu_svm]):
    """Ours: what VMRUN does to the TLB first, by tlb_ctl.

    Source: AMD64 Architecture Programmer's Manual volume 2, TLB control of the VMCB
    """
    ctl = svm.tlb_ctl[svm.current_vmcb]
    if ctl == TLB_CONTROL_FLUSH_ALL_ASID:
        for asid in range(4):
            this_cpu(hw_guest_tlb)[asid] = NULL
    if ctl == TLB_CONTROL_FLUSH_ASID:
        this_cpu(hw_guest_tlb)[svm.asid] = NULL
    if ctl != TLB_CONTROL_DO_NOTHING:
        host_has_flushed(vcpu_of(svm))


# [Modified in arch:svm]
def guest_uses_memory(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest uses what the TLB has under its ASID; where it has nothing, the CPU walks the
    guest's page table and keeps what it finds there.
    """
    asid = to_svm(vcpu).asid
    if this_cpu(hw_guest_tlb)[asid] == NULL:
        this_cpu(hw_guest_tlb)[asid] = token_of(vcpu)
    translation_is_used(vcpu, this_cpu(hw_guest_tlb)[asid])


# [Modified in arch:svm]
def guest_invalidates(vcpu: ptr[kvm_vcpu]):
    """Ours: INVLPG or a write of CR3 in the guest: under its ASID, on this CPU."""
    this_cpu(hw_guest_tlb)[to_svm(vcpu).asid] = NULL


# [Modified in arch:svm]
def kvm_x86_flush_tlb_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.flush_tlb_guest, svm_flush_tlb_asid(), arch/x86/kvm/svm/svm.c, v6.12, with
    FLUSHBYASID
    """
    svm = to_svm(vcpu)
    svm.tlb_ctl[svm.current_vmcb] = TLB_CONTROL_FLUSH_ASID


# [Modified in arch:svm]
def kvm_x86_enable_virtualization_cpu():
    """The CPU's ASIDs begin anew.

    Mirrors: svm_enable_virtualization_cpu(), arch/x86/kvm/svm/svm.c, v6.12.y
    Omits: the MSRs, the TSC ratio
    """
    if asids:
        sd = this_cpu_ptr(addr(svm_data))
        next_generation(sd)
        sd.next_asid = max_asid + 1
