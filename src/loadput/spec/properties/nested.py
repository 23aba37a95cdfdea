"""What load and put must keep true where the guest has a guest: arm64."""


@property_(
    source="arch/arm64/kvm/nested.c kvm_vcpu_load_hw_mmu(), v6.12",
    twin="nv_put_keeps_mmu",
    where="guest_nests",
)
@at_entry(guest_runs)
def STAGE2_OF_CONTEXT(vcpu: ptr[kvm_vcpu]) -> bool:
    """The guest runs on the stage 2 of its context: its own as a hypervisor, else its guest's."""
    wanted = CANONICAL_MMU if is_hyp_ctxt(vcpu) else NESTED_MMU
    return __this_cpu_read(hw_stage2) == wanted


@property_(
    source="arch/arm64/kvm/nested.c kvm_vcpu_put_hw_mmu(), get_s2_mmu_nested(), v6.12",
    twin="nv_put_keeps_mmu",
    where="guest_nests",
)
@at_exit(vcpu_put)
def NV_MMU_REF(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU that nobody has open holds no stage 2."""
    return vcpu.arch.hw_mmu == NO_MMU


@property_(
    source="kvm_reset_vcpu(), arch/arm64/kvm/reset.c; VCPU_RESET_PSTATE_EL2, reset_hcr(), v6.12",
    twin="nv_reset_in_l2",
    where="guest_nests",
)
@at_exit(kvm_reset_sys_regs)
def NV_RESET_CONTEXT(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU that is reset begins as a hypervisor, whatever it was."""
    return is_hyp_ctxt(vcpu)


# A nested guest has taught this CPU's branch predictor since its last barrier.
predictor_of_l2: per_cpu[ghost[bool]]


@monitor(where="guest_ibrs")
@at_entry(indirect_branch_prediction_barrier)
def predictor_forgets_l2():
    this_cpu_write(predictor_of_l2, False)


@monitor(where="guest_ibrs")
@at_exit(svm_vcpu_enter_exit)
def predictor_learns_from_l2(vcpu: ptr[kvm_vcpu]):
    if is_guest_mode(vcpu):
        this_cpu_write(predictor_of_l2, True)


@property_(
    source="arch/x86/kvm/x86.h kvm_nested_vmexit_handle_ibrs(), v7.3: L1 expects modes of their own",
    twin="svm-nested-exit-ibrs",
    where="guest_ibrs",
)
@at_entry(svm_vcpu_enter_exit)
def PREDICTOR_OF_L2(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest that runs guests, and is told of IBRS, does not run on what one of them has taught the
    branch predictor.
    """
    return is_guest_mode(vcpu) or not this_cpu(predictor_of_l2)


@property_(
    source="this_cpu_reset_vncr_fixmap(), arch/arm64/kvm/nested.c, v7.3, its comment",
    twin="nv_put_keeps_vncr",
    where="guest_vncr",
)
@at_entry(guest_runs)
@at_exit(kvm_arch_vcpu_put)
def VNCR_OF_LOADED(vcpu: ptr[kvm_vcpu], entry: bool) -> bool:
    """A CPU that runs a guest maps no VNCR page of another vCPU's, and after a put none of the one that
    was put."""
    held = this_cpu(hw_vncr)
    return held == NULL or (held == vcpu) == entry


class kvm_vcpu_arch(struct):
    # What the last walk found, a TLBI has dropped since.
    vncr_is_old: ghost[bool]


@monitor(where="guest_vncr")
@at_entry(walk_vncr)
def vncr_is_walked(vcpu: ptr[kvm_vcpu]):
    vcpu.arch.vncr_is_old = False


@monitor(where="guest_vncr")
@at_entry(invalidate_vncr_va)
def vncr_grows_old(vcpu: ptr[kvm_vcpu]):
    for v in each(kvm_vcpu):
        if v.kvm == vcpu.kvm:
            v.arch.vncr_is_old = True


@monitor(where="guest_vncr")
@at_exit(kvm_hyp_handle_tlbi_el2)
def vncr_grows_old_at_once(vcpu: ptr[kvm_vcpu], ret: bool):
    if ret:
        for v in each(kvm_vcpu):
            if v.kvm == vcpu.kvm:
                v.arch.vncr_is_old = True


@property_(
    source="kvm_translate_vncr(), invalidate_vncr_va(), arch/arm64/kvm/nested.c, v7.3",
    twin="nv_vncr_without_retry",
    where="guest_vncr",
)
@at_entry(guest_runs)
def VNCR_FRESH(vcpu: ptr[kvm_vcpu]) -> bool:
    """The VNCR page that a guest finds mapped is from a walk after the last TLBI that is done."""
    if this_cpu(hw_vncr) != vcpu or vcpu.kvm.mmu_lock_is_written:
        return True
    return not vcpu.arch.vncr_is_old
