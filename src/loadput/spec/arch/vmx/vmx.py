"""A vCPU on VMX: which CPU its VMCS is active on, what is loaded at entry and given back at put.

Mirrors: arch/x86/kvm/vmx/vmx.c, arch/x86/kvm/vmx/vmx.h, arch/x86/kvm/vmx/vmcs.h, v6.12.
"""


class vmcs(struct, per="vcpu"):
    active_on: cpu = -1


class vmcs_host_state(struct, per="vcpu"):
    # Whether the selector is not 0.
    ldt_sel: bool


class loaded_vmcs(struct, per="vcpu"):
    vmcs: ptr[vmcs] = own
    cpu: cpu = -1
    host_state: embed[vmcs_host_state]


class vcpu_vmx(struct, per="vcpu"):
    loaded_vmcs: ptr[loaded_vmcs] = own
    tsc_aux: upto[1] = 1
    guest_uret_msrs_loaded: bool
    guest_state_loaded: bool
    msr_host_kernel_gs_base: token[kgs, task]


current_vmcs: per_cpu[ptr[vmcs]]
hw_current_vmcs: per_cpu[ptr[vmcs]]


# [New in arch:vmx]
def to_vmx(vcpu: ptr[kvm_vcpu]) -> ptr[vcpu_vmx]:
    """Mirrors: to_vmx(), arch/x86/kvm/vmx/vmx.h, v6.12"""
    return container_of(vcpu, vcpu_vmx, vcpu)


# [New in arch:vmx]
def vmcs_load(vmcs: ptr[vmcs]):
    """The instruction VMPTRLD: the VMCS becomes active and current on this CPU.

    Mirrors: vmcs_load(), arch/x86/kvm/vmx/vmx_ops.h, v6.12
    """
    with atomic:
        this_cpu_write(hw_current_vmcs, vmcs)
        vmcs.active_on = smp_processor_id()


# [New in arch:vmx]
def vmcs_clear(vmcs: ptr[vmcs]):
    """The instruction VMCLEAR: what this CPU holds of the VMCS goes to memory.

    Mirrors: vmcs_clear(), arch/x86/kvm/vmx/vmx_ops.h, v6.12
    """
    with atomic:
        if this_cpu(hw_current_vmcs) == vmcs:
            this_cpu_write(hw_current_vmcs, NULL)
        if vmcs.active_on == smp_processor_id():
            vmcs.active_on = -1


# [New in arch:vmx]
def vmcs_access(vcpu: ptr[kvm_vcpu]):
    """A place for properties: VMREAD or VMWRITE of a field of this vCPU's VMCS.

    Mirrors: vmcs_readl(), vmcs_writel(), arch/x86/kvm/vmx/vmx_ops.h, v6.12
    """
    pass


# [New in arch:vmx]
def __loaded_vmcs_clear(loaded_vmcs: ptr[loaded_vmcs]):
    """Mirrors: __loaded_vmcs_clear(), arch/x86/kvm/vmx/vmx.c, v6.12

    Context: on the CPU that the VMCS is active on; IRQs off by IPI, on in the thread of a CPU that goes
    offline
    Omits: shadow VMCS, launched
    """
    cpu = raw_smp_processor_id()

    if loaded_vmcs.cpu != cpu:
        return
    if per_cpu(current_vmcs, cpu) == loaded_vmcs.vmcs:
        __this_cpu_write(current_vmcs, NULL)

    vmcs_clear(loaded_vmcs.vmcs)

    del_loaded_vmcs(loaded_vmcs, cpu)

    smp_wmb()

    loaded_vmcs.cpu = -1


# [New in arch:vmx]
def loaded_vmcs_clear(loaded_vmcs: ptr[loaded_vmcs]):
    """Mirrors: loaded_vmcs_clear(), arch/x86/kvm/vmx/vmx.c, v6.12"""
    cpu = loaded_vmcs.cpu

    if cpu != -1:
        smp_call_function_single(cpu, loaded_vmcs)


# [New in arch:vmx]
def shrink_ple_window(vcpu: ptr[kvm_vcpu]):
    """A place for properties.

    Mirrors: shrink_ple_window(), arch/x86/kvm/vmx/vmx.c, v6.12
    Omits: ple_window and ple_window_dirty; vmx_vcpu_run() writes the VMCS in any case
    """
    pass


# [New in arch:vmx]
def kvm_read_ldt() -> bool:
    """The instruction SLDT: the selector in LDTR, here whether it is not 0.

    Mirrors: kvm_read_ldt(), arch/x86/include/asm/kvm_host.h, v6.12
    """
    return this_cpu_read(hw_ldtr) != NULL


# [New in arch:vmx]
def kvm_load_ldt(sel: bool):
    """The instruction LLDT: LDTR is what the GDT's entry says now.

    Mirrors: kvm_load_ldt(), arch/x86/include/asm/kvm_host.h, v6.12
    """
    with atomic:
        this_cpu_write(hw_ldtr, this_cpu(gdt_entry_ldt) if sel else NULL)


# [New in arch:vmx]
def vmx_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Save the host state that VM-exit does not bring back; give the guest its MSRs.

    Mirrors: vmx_prepare_switch_to_guest(), arch/x86/kvm/vmx/vmx.c, v6.12
    Context: preemption off, IRQs on
    Omits: DS and ES; the host's FS and GS in the VMCS; current->thread.gsbase on its way from the
    register to msr_host_kernel_gs_base; nested
    """
    vmx = to_vmx(vcpu)

    if not vmx.guest_uret_msrs_loaded:
        vmx.guest_uret_msrs_loaded = True
        kvm_set_user_return_msr(tsc_aux_uret_slot, vmx.tsc_aux, -1)

    if vmx.guest_state_loaded:
        return

    vmx.loaded_vmcs.host_state.ldt_sel = kvm_read_ldt()

    vmx.msr_host_kernel_gs_base = this_cpu(hw_kernel_gs_base)

    this_cpu_write(hw_kernel_gs_base, NULL)

    vmcs_access(vcpu)
    vmx.guest_state_loaded = True


# [New in arch:vmx]
def vmx_prepare_switch_to_host(vmx: ptr[vcpu_vmx]):
    """Mirrors: vmx_prepare_switch_to_host(), arch/x86/kvm/vmx/vmx.c, v6.12

    Omits: the guest's own KERNEL_GS_BASE, FS, GS, DS, ES, TSS limit, GDT, statistics; a GS selector
    of the LDT or of user mode, with which LDTR is loaded as well
    """
    if not vmx.guest_state_loaded:
        return

    if vmx.loaded_vmcs.host_state.ldt_sel:
        kvm_load_ldt(vmx.loaded_vmcs.host_state.ldt_sel)

    this_cpu_write(hw_kernel_gs_base, vmx.msr_host_kernel_gs_base)
    vmx.guest_state_loaded = False
    vmx.guest_uret_msrs_loaded = False


# [New in arch:vmx]
def vmx_vcpu_load_vmcs(vcpu: ptr[kvm_vcpu], cpu: cpu, buddy: ptr[loaded_vmcs]):
    """Make the vCPU's VMCS current here; take it from the CPU that it was active on.

    Mirrors: vmx_vcpu_load_vmcs(), arch/x86/kvm/vmx/vmx.c, v6.12
    Context: preemption off, IRQs on: it waits for an IPI
    Omits: the TLB flush request; a buddy, which only nesting has
    """
    vmx = to_vmx(vcpu)
    already_loaded = vmx.loaded_vmcs.cpu == cpu

    if not already_loaded:
        loaded_vmcs_clear(vmx.loaded_vmcs)
        local_irq_disable()
        smp_rmb()
        add_loaded_vmcs(vmx.loaded_vmcs, cpu)
        local_irq_enable()

    prev = per_cpu(current_vmcs, cpu)
    if prev != vmx.loaded_vmcs.vmcs:
        __this_cpu_write(current_vmcs, vmx.loaded_vmcs.vmcs)
        vmcs_load(vmx.loaded_vmcs.vmcs)

        if not buddy:
            indirect_branch_prediction_barrier()

    if not already_loaded:
        vmcs_access(vcpu)

        vmx.loaded_vmcs.cpu = cpu


# [New in arch:vmx]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c, v6.12

    Context: vcpu->cpu is still the CPU of the last load
    """
    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    vmx_vcpu_load_vmcs(vcpu, cpu, NULL)

    vmx_vcpu_pi_load(vcpu, cpu)


# [New in arch:vmx]
def vmx_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_put(), arch/x86/kvm/vmx/vmx.c, v6.12"""
    vmx_vcpu_pi_put(vcpu)

    vmx_prepare_switch_to_host(to_vmx(vcpu))


# [New in arch:vmx]
def vmx_l1d_flush(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_l1d_flush(), arch/x86/kvm/vmx/vmx.c, v6.12, vmx_l1d_flush_cond

    Omits: the flag of the CPU, which interrupt handlers set; the flush
    """
    vcpu.arch.l1tf_flush_l1d = False


# [New in arch:vmx]
def vmx_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]):
    """Two steps: VM-entry, then VM-exit; in between the guest runs, for as long as it likes.

    Mirrors: vmx_vcpu_enter_exit(), arch/x86/kvm/vmx/vmx.c; __vmx_vcpu_run(),
    arch/x86/kvm/vmx/vmenter.S, v6.12
    Source: Intel SDM volume 3, loading host segment and descriptor-table registers: every VM-exit
    makes LDTR's selector 0 and the segment unusable
    Context: IRQs off for the host; while the guest runs, an interrupt is a VM-exit
    Omits: FS and GS, which VM-entry and VM-exit switch through the VMCS
    """
    guest_state_enter_irqoff()
    vmx_l1d_flush(vcpu)

    with atomic:
        vmcs_access(vcpu)
        this_cpu_write(hw_ldtr, NULL)

    if enable_apicv:
        guest_with_apicv(vcpu)

    with atomic:
        vmcs_access(vcpu)
        this_cpu_write(hw_ldtr, NULL)
        vm_exit_clears_debugctl()


# [New in arch:vmx]
def vmx_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_run(), arch/x86/kvm/vmx/vmx.c, v6.12

    Omits: guest registers, host CR3 and CR4, XSAVE state, PT, the preemption timer, the fast path
    """
    vmcs_access(vcpu)

    vmx_vcpu_enter_exit(vcpu)

    restore_host_debugctl(vcpu)


# [New in arch:vmx]
def vmx_handle_exit_irqoff(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_handle_exit_irqoff(), handle_external_interrupt_irqoff(),
    arch/x86/kvm/vmx/vmx.c, v6.12

    The exit reason is free; whether it is an external interrupt is chosen here, where it is first
    read. The handler that the kernel calls here runs a little later, with IRQs on.
    """
    if choose():
        vcpu.arch.at_instruction_boundary = True


# [New in arch:vmx]
def handle_pause(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: handle_pause(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: growing the PLE window"""
    kvm_vcpu_on_spin(vcpu, True)
    return 1


# [New in arch:vmx]
def vmx_handle_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """What the guest left for is free: HLT, PAUSE, or what KVM handles itself or user space does.

    Mirrors: vmx_handle_exit(), __vmx_handle_exit(), arch/x86/kvm/vmx/vmx.c, v6.12
    """
    if vcpu.arch.at_instruction_boundary:
        return 1
    vmcs_access(vcpu)
    exit_code = choose(EXIT_OTHER, EXIT_TO_USER)
    if exit_code == EXIT_HLT:
        assume(vcpu.guest_halts)
        return kvm_emulate_halt(vcpu)
    if exit_code == EXIT_PAUSE:
        assume(vcpu.guest_spins)
        return handle_pause(vcpu)
    return exit_code == EXIT_OTHER


# [New in arch:vmx]
def kvm_x86_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vt_x86_ops.vcpu_load, arch/x86/kvm/vmx/main.c, v6.12"""
    vmx_vcpu_load(vcpu, cpu)


# [New in arch:vmx]
def kvm_x86_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vt_x86_ops.vcpu_put, arch/x86/kvm/vmx/main.c, v6.12"""
    vmx_vcpu_put(vcpu)


# [New in arch:vmx]
def kvm_x86_prepare_switch_to_guest(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vt_x86_ops.prepare_switch_to_guest, arch/x86/kvm/vmx/main.c, v6.12"""
    vmx_prepare_switch_to_guest(vcpu)


# [New in arch:vmx]
def kvm_x86_vcpu_run(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vt_x86_ops.vcpu_run, arch/x86/kvm/vmx/main.c, v6.12"""
    vmx_vcpu_run(vcpu)


# [New in arch:vmx]
def kvm_x86_handle_exit_irqoff(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vt_x86_ops.handle_exit_irqoff, arch/x86/kvm/vmx/main.c, v6.12"""
    vmx_handle_exit_irqoff(vcpu)


# [New in arch:vmx]
def kvm_x86_handle_exit(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: vt_x86_ops.handle_exit, arch/x86/kvm/vmx/main.c, v6.12"""
    return vmx_handle_exit(vcpu)


# [Modified in arch:vmx]
def kvm_x86_get_cpl(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_get_cpl(), arch/x86/kvm/vmx/vmx.c, v6.12; Omits: its cache"""
    vmcs_access(vcpu)
