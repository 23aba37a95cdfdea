"""A vCPU on SVM: the host save area, the current VMCB, VMRUN.

Mirrors: arch/x86/kvm/svm/svm.c, arch/x86/kvm/svm/svm.h, arch/x86/kvm/svm/vmenter.S, v6.12.
A CPU's save area holds what VMSAVE puts there and VMLOAD gets back after every #VMEXIT: FS, GS,
KERNEL_GS_BASE, LDTR, TR, the SYSCALL and SYSENTER MSRs. Its FS base stands for what belongs to the
task, its LDTR for what belongs to the mm; what belongs to the CPU is constant there.
"""


class vmcb_save_area(struct, per="cpu"):
    fs: token[fs, task]
    ldtr: token[ldt, vm]


class svm_cpu_data(struct, per="cpu"):
    save_area_pa: ptr[vmcb_save_area] = own
    current_vmcb: ptr[vmcb]


class vmcb(struct, per="vcpu"):
    pass


class vcpu_svm(struct, per="vcpu"):
    vmcb: ptr[vmcb] = own
    tsc_aux: upto[1] = 1
    guest_state_loaded: bool


svm_data: per_cpu[svm_cpu_data]


# [New in arch:svm]
def to_svm(vcpu: ptr[kvm_vcpu]) -> ptr[vcpu_svm]:
    """Mirrors: to_svm(), arch/x86/kvm/svm/svm.h, v6.12"""
    return container_of(vcpu, vcpu_svm, vcpu)


# [New in arch:svm]
def vcpu_of(svm: ptr[vcpu_svm]) -> ptr[kvm_vcpu]:
    """Ours: &svm->vcpu."""
    return container_of(svm, kvm_vcpu, svm)


# [New in arch:svm]
def vmsave(pa: ptr[vmcb_save_area]):
    """The instruction VMSAVE: the CPU's registers go to the page.

    Mirrors: vmsave(), arch/x86/kvm/svm/svm_ops.h, v6.12
    """
    with atomic:
        pa.fs = this_cpu(hw_fs)
        pa.ldtr = this_cpu(hw_ldtr)


# [New in arch:svm]
def shrink_ple_window(vcpu: ptr[kvm_vcpu]):
    """A place for properties.

    Mirrors: shrink_ple_window(), arch/x86/kvm/svm/svm.c, v6.12
    Omits: pause_filter_count, which only the hardware reads
    """
    pass


# [New in arch:svm]
def svm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_vcpu_load(), arch/x86/kvm/svm/svm.c, v6.12

    Context: vcpu->cpu is still the CPU of the last load
    Omits: CPUs with IBPB_ON_VMEXIT, which need no barrier here
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), cpu)

    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    if sd.current_vmcb != svm.vmcb:
        sd.current_vmcb = svm.vmcb
        indirect_branch_prediction_barrier()
    if avic:
        avic_vcpu_load(vcpu, cpu)


# [New in arch:svm]
def svm_prepare_host_switch(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_prepare_host_switch(), arch/x86/kvm/svm/svm.c, v6.12"""
    to_svm(vcpu).guest_state_loaded = False


# [New in arch:svm]
def svm_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_put(), arch/x86/kvm/svm/svm.c, v6.12; Omits: statistics"""
    if avic:
        avic_vcpu_put(vcpu)

    svm_prepare_host_switch(vcpu)


# [New in arch:svm]
def svm_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that the next #VMEXIT will load; give the guest its MSRs.

    Mirrors: svm_prepare_switch_to_guest(), arch/x86/kvm/svm/svm.c, v6.12
    Context: preemption off, IRQs on
    Omits: SEV-ES, BP_SPEC_REDUCE
    """
    svm = to_svm(vcpu)
    sd = per_cpu_ptr(addr(svm_data), vcpu.cpu)

    if svm.guest_state_loaded:
        return

    vmsave(sd.save_area_pa)

    if tsc_scaling:
        __svm_write_tsc_multiplier(vcpu.arch.tsc_scaling_ratio)

    kvm_set_user_return_msr(tsc_aux_uret_slot, svm.tsc_aux, -1)
    svm.guest_state_loaded = True


# [New in arch:svm]
def __svm_vcpu_run(svm: ptr[vcpu_svm]):
    """Two steps: VMLOAD of the guest's state with VMRUN, then #VMEXIT with VMSAVE of the guest's
    state and VMLOAD of the host's; in between the guest runs, for as long as it likes.

    Mirrors: __svm_vcpu_run(), arch/x86/kvm/svm/vmenter.S, v6.12
    Context: IRQs and GIF off for the host; while the guest runs, an interrupt is a #VMEXIT
    """
    sd = this_cpu_ptr(addr(svm_data))
    save_area_pa = sd.save_area_pa

    with atomic:
        this_cpu_write(hw_fs, NULL)
        this_cpu_write(hw_ldtr, NULL)
        if asids:
            vmrun_flushes(svm)
        if avic:
            vmrun_takes_irr(vcpu_of(svm))

    if asids:
        guest_runs(vcpu_of(svm))
    if avic:
        guest_takes_doorbell(vcpu_of(svm))

    with atomic:
        this_cpu_write(hw_fs, save_area_pa.fs)
        this_cpu_write(hw_ldtr, save_area_pa.ldtr)


# [New in arch:svm]
def svm_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_enter_exit(), arch/x86/kvm/svm/svm.c, v6.12"""
    guest_state_enter_irqoff()
    __svm_vcpu_run(to_svm(vcpu))


# [New in arch:svm]
def svm_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_vcpu_run(), arch/x86/kvm/svm/svm.c, v6.12

    Omits: guest registers, DR6 and speculation MSRs, XSAVE state, the fast path; CLGI and STGI: IRQs
    are off, and no NMI is modelled
    """
    if asids:
        svm_prepare_asid(vcpu)

    load_guest_debugctl(vcpu)

    svm_vcpu_enter_exit(vcpu)

    load_host_debugctl(vcpu)

    if asids:
        svm_vmrun_is_done(vcpu)


# [New in arch:svm]
def svm_handle_exit_irqoff(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_handle_exit_irqoff(), arch/x86/kvm/svm/svm.c, v6.12

    The exit code is free; whether it is SVM_EXIT_INTR is chosen here, where it is first read.
    """
    if choose():
        vcpu.arch.at_instruction_boundary = True


# [New in arch:svm]
def pause_interception(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: pause_interception(), arch/x86/kvm/svm/svm.c, v6.12

    Omits: growing the PLE window
    """
    in_kernel = choose()

    kvm_vcpu_on_spin(vcpu, in_kernel)
    return 1


# [New in arch:svm]
def svm_handle_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """What the guest left for is free: HLT, PAUSE, or what KVM handles itself or user space does.

    Mirrors: svm_handle_exit(), svm_invoke_exit_handler(), arch/x86/kvm/svm/svm.c, v6.12
    """
    if vcpu.arch.at_instruction_boundary:
        return 1
    if nested and (nested_vcpus >> (vcpu - 1)) & 1 and choose():
        nested_exit(vcpu)
        return 1
    exit_code = choose(EXIT_OTHER, EXIT_TO_USER)
    if exit_code == EXIT_HLT:
        assume(vcpu.guest_halts)
        return kvm_emulate_halt(vcpu)
    if exit_code == EXIT_PAUSE:
        assume(vcpu.guest_spins)
        return pause_interception(vcpu)
    if exit_code == EXIT_OTHER and guest_maps:
        x86_emulate_instruction(vcpu)
    return exit_code == EXIT_OTHER


# [New in arch:svm]
def kvm_x86_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: svm_x86_ops.vcpu_load, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_vcpu_load(vcpu, cpu)


# [New in arch:svm]
def kvm_x86_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.vcpu_put, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_vcpu_put(vcpu)


# [New in arch:svm]
def kvm_x86_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.prepare_switch_to_guest, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_prepare_switch_to_guest(vcpu)


# [New in arch:svm]
def kvm_x86_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.vcpu_run, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_vcpu_run(vcpu)


# [New in arch:svm]
def kvm_x86_handle_exit_irqoff(vcpu: ptr[kvm_vcpu]):
    """Mirrors: svm_x86_ops.handle_exit_irqoff, arch/x86/kvm/svm/svm.c, v6.12"""
    svm_handle_exit_irqoff(vcpu)


# [New in arch:svm]
def kvm_x86_handle_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: svm_x86_ops.handle_exit, arch/x86/kvm/svm/svm.c, v6.12"""
    return svm_handle_exit(vcpu)
