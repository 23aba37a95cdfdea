"""What a guest may find in a TLB."""


class kvm_vcpu(struct):
    flush_owed: ghost[bool]


class vcpu_svm(struct, per="vcpu"):
    ran_on: ghost[array[cpu, 2]] = -1


@property_(
    source="arch/x86/kernel/kvm.c kvm_flush_tlb_multi(), arch/x86/kvm/x86.c record_steal_time(), v6.12",
    twin="st-preempted-mid-insn",
    where="guest_maps",
)
@at_entry(translation_is_used)
def TLB_FRESH(vcpu: ptr[kvm_vcpu], held: token[translation, vcpu]) -> bool:
    """Once a guest has had a mapping forgotten everywhere, nothing of it is used any more, neither by
    a vCPU nor by KVM for one.
    """
    return held == token_of(vcpu) or vcpu.kvm.unmapping or owner_of(held) != vcpu


@property_(
    source="arch/x86/kvm/svm/svm.c pre_svm_run(), new_asid(), v6.12",
    twin="svm_asid_shared",
    where="asids",
)
@at_entry(translation_is_used)
def TLB_PRIVATE(vcpu: ptr[kvm_vcpu], held: token[translation, vcpu]) -> bool:
    """No guest uses a translation that another vCPU's has put into the TLB."""
    return owner_of(held) == vcpu


@monitor
@at_entry(flush_is_left_to_the_host)
def flush_is_owed(vcpu: ptr[kvm_vcpu]):
    vcpu.flush_owed = True


@monitor
@at_entry(host_has_flushed)
def flush_is_done(vcpu: ptr[kvm_vcpu]):
    vcpu.flush_owed = False


@property_(
    source="arch/x86/kernel/kvm.c kvm_flush_tlb_multi(), arch/x86/kvm/x86.c record_steal_time(), v6.12",
    twin="st-flush-bit-lost",
    where="guest_maps",
)
@at_entry(guest_runs)
def DEFERRED_FLUSH(vcpu: ptr[kvm_vcpu]) -> bool:
    """A flush that one vCPU left to the host is done before the other runs its guest again."""
    return not vcpu.flush_owed


@property_(
    source="AMD64 Architecture Programmer's Manual volume 2, VMCB clean bits",
    twin="svm-vmcb-cpu-on-switch",
    where="asids",
)
@at_entry(guest_runs)
def CLEAN_WHERE_IT_RAN(vcpu: ptr[kvm_vcpu]) -> bool:
    """A VMCB has clean bits set at VMRUN only on the CPU that ran it last."""
    svm = to_svm(vcpu)
    nr = svm.current_vmcb
    return not svm.vmcb_clean[nr] or svm.ran_on[nr] == smp_processor_id()


@monitor(where="asids")
@at_exit(guest_runs)
def vmcb_has_run(vcpu: ptr[kvm_vcpu]):
    to_svm(vcpu).ran_on[to_svm(vcpu).current_vmcb] = smp_processor_id()
