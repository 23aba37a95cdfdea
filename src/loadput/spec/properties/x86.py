"""What must hold on x86, as the hardware, the guest or user mode would see it."""


class task_struct(struct):
    ple_shrinks: ghost[upto[2]]


# For which vCPU this CPU last forgot what it had learned of branches.
barrier_for: per_cpu[ghost[ptr[kvm_vcpu]]]


@property_(
    source="svm.c svm_prepare_switch_to_guest(), vmenter.S __svm_vcpu_run(), arch/x86/kvm/svm, v6.12",
    twin="no_vmsave",
)
@at_entry(__svm_vcpu_run)
def HOST_AREA_FRESH(svm: ptr[vcpu_svm]) -> bool:
    """At VMRUN, what #VMEXIT will load from this CPU's save area is what the CPU has now."""
    sd = this_cpu_ptr(addr(svm_data))
    return sd.save_area_pa.fs == this_cpu(hw_fs)


@property_(source="arch/x86/kvm/svm/svm.c svm_prepare_host_switch(), v6.12", twin="gsl_kept")
@at_exit(kvm_arch_vcpu_put)
def GSL_RESET(vcpu: ptr[kvm_vcpu]) -> bool:
    """After every put the next entry prepares its CPU anew: guest_state_loaded is false."""
    return not container_of(vcpu, vcpu_svm, vcpu).guest_state_loaded


@property_(source="arch/x86/kvm/x86.c kvm_on_user_return(), v6.12", twin="uret_not_fired")
@at_exit(arch_exit_to_user_mode_prepare)
def URET() -> bool:
    """User mode finds the host's values in the MSRs that KVM switches lazily."""
    return this_cpu(hw_tsc_aux) == TSC_AUX_HOST


@property_(
    source="arch/x86/kvm/x86.c kvm_set_user_return_msr(), v6.12", twin="kgs_kept_at_vcpu_put"
)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def URET_GUEST() -> bool:
    """The guest runs with its own values in the MSRs that KVM switches lazily."""
    return this_cpu(hw_tsc_aux) == TSC_AUX_GUEST


@property_(
    source="Intel SDM volume 3, VMPTRLD and VMCLEAR; vmx.c loaded_vmcs_clear()", twin="no_vmclear"
)
@at_entry(vmcs_load)
@at_entry(vmcs_clear)
def VMCS_ONE_CPU(vmcs: ptr[vmcs]) -> bool:
    """A VMCS is made current on a CPU, or cleared there, only when it is active on no other."""
    return vmcs.active_on == -1 or vmcs.active_on == smp_processor_id()


@property_(source="Intel SDM volume 3, VMREAD and VMWRITE", twin="vmwrite_before_load")
@at_entry(vmcs_access)
def VMCS_CURRENT(vcpu: ptr[kvm_vcpu]) -> bool:
    """A vCPU's VMCS is read and written only while it is the current one of this CPU."""
    vmx = container_of(vcpu, vcpu_vmx, vcpu)
    return this_cpu(hw_current_vmcs) == vmx.loaded_vmcs.vmcs


@monitor
@at_entry(indirect_branch_prediction_barrier)
def barrier_is_issued():
    if this_cpu(kvm_running_vcpu) != NULL:
        this_cpu_write(barrier_for, this_cpu(kvm_running_vcpu))


@property_(
    source="arch/x86/kvm/svm/svm.c svm_vcpu_load(), vmx.c vmx_vcpu_load_vmcs(), v6.12",
    twin="no_ibpb",
)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def IBPB(vcpu: ptr[kvm_vcpu]) -> bool:
    """Where a guest runs, the last barrier for the branch predictor was issued for its own vCPU."""
    return this_cpu(barrier_for) == vcpu


@monitor
@at_entry(kvm_sched_in)
@at_entry(vcpu_load)
def ple_counts_from_here():
    current.ple_shrinks = 0


@monitor
@at_entry(shrink_ple_window)
def ple_counts(vcpu: ptr[kvm_vcpu]):
    if current.ple_shrinks < 2:
        current.ple_shrinks = current.ple_shrinks + 1


@monitor
@at_exit(kvm_sched_in)
@at_exit(vcpu_load)
def ple_counted():
    current.ple_shrinks = 0


@property_(
    source="arch/x86/kvm/svm/svm.c svm_vcpu_load(), vmx.c vmx_vcpu_load(), v6.12",
    twin="ple_never",
    needs="shrink_ple_window",
    replaces="PLE_SCHED_IN_ONLY",
)
@at_exit(kvm_sched_in)
@at_exit(vcpu_load)
def PLE_ONCE() -> bool:
    """Each time the scheduler brings a vCPU's task back, its PLE window shrinks once; a load that is
    not the scheduler's leaves it alone.
    """
    return current.ple_shrinks == (current.via == VIA_SCHED_IN)


@monitor
@at_exit(kvm_vcpu_halt)
def has_waited(vcpu: ptr[kvm_vcpu]):
    vcpu.has_waited = True


@property_(source="arch/x86/kvm/x86.c vcpu_block(), v6.12: mp_state", twin="halted_kept")
@at_exit(vcpu_block)
def WAITS_NO_LONGER(vcpu: ptr[kvm_vcpu]) -> bool:
    """A halted vCPU that need not wait runs its guest next."""
    return not vcpu.arch.halted or vcpu.has_waited


@monitor
@at_exit(vcpu_block)
def waits_anew(vcpu: ptr[kvm_vcpu]):
    vcpu.has_waited = False


@property_(
    source='Linux commit ef2e18ef3750 ("KVM: x86: Unconditionally set l1tf_flush_l1d during vCPU load")',
    twin="l1tf_flag_at_sched_in_only",
    needs="kvm_vcpu.scheduled_out, vmx_l1d_flush",
)
@at_exit(kvm_arch_vcpu_load)
def L1D_FLUSHED(vcpu: ptr[kvm_vcpu]) -> bool:
    """After each load, the next entry is one before which the L1 data cache is flushed."""
    return l1d_flush_is_due(vcpu)


@forget_(bodies="kvm_arch_vcpu_load, vmx_l1d_flush", origin="arch:x86, arch:vmx")
@at_exit(kvm_arch_vcpu_load)
@at_exit(vmx_l1d_flush)
def l1d_flush_is_dead(vcpu: ptr[kvm_vcpu]):
    """Nothing here looks at the flag but L1D-FLUSHED, after the next load, which sets it."""
    vcpu.arch.l1tf_flush_l1d = False


@forget_(bodies="kvm_arch_vcpu_load, vmx_l1d_flush", origin="release:v7.3")
@at_exit(kvm_arch_vcpu_load)
@at_exit(vmx_l1d_flush)
def l1d_flush_of_cpu_is_dead():
    """As above, where the flag is the CPU's."""
    this_cpu_write(kvm_cpu_l1tf_flush_l1d, False)


@monitor(where="vpmu_in_use")
@at_exit(kvm_sched_in)
def pmu_has_run_for_others(pn: ptr[preempt_notifier]):
    preempt_notifier_to_vcpu(pn).pmu_cleanup_due = True


@monitor(where="vpmu_in_use")
@at_exit(kvm_pmu_handle_event)
def pmu_is_cleaned(vcpu: ptr[kvm_vcpu]):
    # kvm_pmu_cleanup() clears the flag first: what comes before that is cleaned too.
    if not vcpu.arch.pmu.need_cleanup:
        vcpu.pmu_cleanup_due = False


@monitor(where="vpmu_in_use")
@at_entry(vcpu_memory_is_zeroed)
def pmu_is_new(vcpu: ptr[kvm_vcpu]):
    vcpu.pmu_cleanup_due = False


@property_(
    source="arch/x86/kvm/x86.c kvm_arch_vcpu_load(), arch/x86/kvm/pmu.c kvm_pmu_cleanup(), v6.12",
    twin="pmu_request_lost",
    where="vpmu_in_use",
)
@at_entry(guest_state_enter_irqoff)
def PMU_CLEANED() -> bool:
    """A vCPU that lost its CPU gives up the counters that its guest no longer uses before it enters
    the guest again.
    """
    vcpu = current.loaded
    return vcpu == NULL or not vcpu.pmu_cleanup_due


class kvm_vcpu(struct):
    has_waited: ghost[bool]
    pmu_cleanup_due: ghost[bool]


@property_(source="arch/x86/kvm/x86.c record_steal_time(), v6.12", twin="no_steal_update")
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def STEAL_BYTE(vcpu: ptr[kvm_vcpu]) -> bool:
    """While a vCPU runs its guest, the other vCPUs do not see it as preempted."""
    return not vcpu.arch.steal.preempted & KVM_VCPU_PREEMPTED


@forget_(
    bodies="svm_prepare_switch_to_guest, svm_prepare_host_switch, svm_vcpu_put, svm_vcpu_load,"
    " vmsave",
    origin="arch:svm, release:v7.3, design:A, design:B, design:C",
)
@at_exit(svm_vcpu_put)
def area_is_dead(vcpu: ptr[kvm_vcpu]):
    """After a put the CPU's save area is written before it is read: guest_state_loaded is false."""
    sd = this_cpu_ptr(addr(svm_data))
    sd.save_area_pa.fs = NULL
    sd.save_area_pa.ldtr = NULL


@forget_(
    bodies="vmx_prepare_switch_to_guest, vmx_prepare_switch_to_host, vmx_vcpu_put, vmx_vcpu_load",
    origin="arch:vmx, release:v7.3, design:A, design:B, design:C",
)
@at_exit(vmx_prepare_switch_to_host)
def host_state_is_dead(vmx: ptr[vcpu_vmx]):
    """Until it is saved again nobody restores it: guest_state_loaded is false."""
    vmx.msr_host_kernel_gs_base = NULL
    vmx.loaded_vmcs.host_state.ldt_sel = False


@forget_(bodies="vmx_vcpu_load_vmcs, __loaded_vmcs_clear", origin="arch:vmx")
@at_exit(__loaded_vmcs_clear)
def barrier_is_due():
    """Where no VMCS is current, the next load issues a barrier whoever it is for."""
    if this_cpu(current_vmcs) == NULL:
        this_cpu_write(barrier_for, NULL)


@forget_(
    bodies="kvm_arch_vcpu_load, kvm_arch_vcpu_put, vcpu_enter_guest, kvm_make_request",
    origin="mainline, arch:x86, release:v7.3, design:A, design:B, design:C",
)
@at_exit(kvm_arch_vcpu_put)
def steal_update_is_dead(vcpu: ptr[kvm_vcpu]):
    """Every load makes the request, and only a loaded vCPU's own task looks at it."""
    if vcpu.steal_time:
        vcpu.requests[KVM_REQ_STEAL_UPDATE] = False


# LDTR was the mm's LDT when a vCPU was last loaded on this CPU, and the mm has had no other since.
class ldt_ghost(struct, per="cpu"):
    unchanged: ghost[bool]


ldt_seen: per_cpu[ldt_ghost]


@property_(
    source="arch/x86/kernel/ldt.c install_ldt(), write_ldt(), which then frees the old LDT, v6.12",
    twin="ldt_no_flush",
    does="ldt",
)
@at_exit(__svm_vcpu_run)
def LDT_FRESH() -> bool:
    """After #VMEXIT LDTR has the LDT that its mm has since install_ldt() returned. Violated in
    mainline: shown under emulation, not on hardware (docs/findings/ldt.md).
    """
    mm = task_mm(current)
    return mm.context.lock or this_cpu(hw_ldtr) == mm.context.ldt


@property_(
    source="arch/x86/kernel/ldt.c load_mm_ldt(): loaded before any user code runs, v6.12",
    twin="ldt_no_flush",
    does="ldt",
)
@at_exit(arch_exit_to_user_mode_prepare)
def HOST_RESTORED_AT_USER_LDT() -> bool:
    """User mode has in LDTR the LDT that its mm has since install_ldt() returned. Violated in
    mainline: on SVM shown under emulation, not on hardware (docs/findings/ldt.md), on VMX suspected
    (docs/findings/ldt-vmx.md).
    """
    mm = task_mm(current)
    if mm == NULL or mm.context.lock:
        return True
    return this_cpu(hw_ldtr) == mm.context.ldt


@monitor(does="ldt")
@at_entry(kvm_arch_vcpu_load)
def ldt_at_load():
    mm = task_mm(current)
    seen = this_cpu_ptr(addr(ldt_seen))
    seen.unchanged = not mm.context.lock and this_cpu(hw_ldtr) == mm.context.ldt


@monitor(does="ldt")
@at_entry(publish_ldt)
def ldt_changes():
    for c in each(cpu):
        per_cpu_ptr(addr(ldt_seen), c).unchanged = False


@property_(
    source="arch/x86/kvm/svm/svm.c svm_prepare_switch_to_guest(): VMSAVE follows each load, v6.12",
    twin="ldtr_saved_once",
    does="ldt",
)
@at_exit(__svm_vcpu_run)
def LDT_KEPT() -> bool:
    """LDTR was right when the vCPU was loaded and the mm has had no other LDT since: then it is
    right after #VMEXIT. So it tells what a design adds to what LDT-FRESH suspects of mainline.
    """
    mm = task_mm(current)
    seen = this_cpu_ptr(addr(ldt_seen))
    return not seen.unchanged or this_cpu(hw_ldtr) == mm.context.ldt


@property_(
    source="arch/x86/kvm/vmx/vmx.c vmx_vcpu_run(), v6.12",
    twin="x86-debugctl-snapshot",
    where="host_perf",
)
@at_entry(observe_from_irq)
def HOST_DEBUGCTL() -> bool:
    """While interrupts are on, DEBUGCTL holds what the host wrote last."""
    return this_cpu(hw_debugctl) == this_cpu(host_wants_debugctl)
