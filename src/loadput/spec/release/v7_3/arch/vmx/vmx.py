"""A vCPU on VMX in v7.3: no barrier and no buddy where a VMCS becomes current; the L1D flag is the
CPU's.

Mirrors: arch/x86/kvm/vmx/vmx.c, v7.3. What struct vcpu_vt, arch/x86/kvm/vmx/common.h, has of a vCPU
stands in struct vcpu_vmx, which embeds it.
"""

# irq_stat.kvm_cpu_l1tf_flush_l1d.
kvm_cpu_l1tf_flush_l1d: per_cpu[bool]


# [New in release:v7.3]
def kvm_request_l1tf_flush_l1d():
    """Mirrors: kvm_request_l1tf_flush_l1d(), arch/x86/kvm/x86.h, v7.3

    Omits: who else sets it: interrupt handlers, the emulator, page faults, nested VM-entry
    """
    this_cpu_write(kvm_cpu_l1tf_flush_l1d, True)


# [Modified in release:v7.3]
def l1d_flush_is_due(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether the next entry on this CPU flushes the L1 data cache."""
    return this_cpu(kvm_cpu_l1tf_flush_l1d)


# [Modified in release:v7.3]
def vmx_l1d_flush(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_l1d_flush(), arch/x86/kvm/vmx/vmx.c, v7.3, vmx_l1d_flush_cond; Omits: the flush"""
    this_cpu_write(kvm_cpu_l1tf_flush_l1d, False)


# [Modified in release:v7.3]
def kvm_read_ldt() -> bool:
    """The instruction SLDT: the selector in LDTR, here whether it is not 0.

    Mirrors: vmx_store_ldt(), arch/x86/kvm/vmx/vmx.c, v7.3: another name
    """
    return this_cpu_read(hw_ldtr) != NULL


# [Modified in release:v7.3]
def kvm_load_ldt(sel: bool):
    """The instruction LLDT: LDTR is what the GDT's entry says now.

    Mirrors: vmx_load_ldt(), arch/x86/kvm/vmx/vmx.c, v7.3: another name
    """
    with atomic:
        this_cpu_write(hw_ldtr, this_cpu(gdt_entry_ldt) if sel else NULL)


# [Modified in release:v7.3]
def vmx_vcpu_load_vmcs(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Make the vCPU's VMCS current here; take it from the CPU that it was active on.

    Mirrors: vmx_vcpu_load_vmcs(), arch/x86/kvm/vmx/vmx.c, v7.3
    Context: preemption off, IRQs on: it waits for an IPI
    Omits: the TLB flush request
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

    if not already_loaded:
        vmcs_access(vcpu)

        vmx.loaded_vmcs.cpu = cpu


# [Modified in release:v7.3]
def vmx_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: vmx_vcpu_load(), arch/x86/kvm/vmx/vmx.c, v7.3

    Context: vcpu->cpu is still the CPU of the last load
    """
    if vcpu.scheduled_out and not kvm_pause_in_guest(vcpu.kvm):
        shrink_ple_window(vcpu)

    vmx_vcpu_load_vmcs(vcpu, cpu)

    vmx_vcpu_pi_load(vcpu, cpu)


# [Modified in release:v7.3]
def kvm_x86_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: vmx_vcpu_free(), arch/x86/kvm/vmx/vmx.c, v7.3; Omits: PML, VPID, #VE, the PID table"""
    nested_vmx_free_vcpu(vcpu)
    free_loaded_vmcs(to_vmx(vcpu).loaded_vmcs)


# [Modified in release:v7.3]
def cpu_remembers(c: cpu, vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: whether CPU ``c`` points to the vCPU or to its VMCS, or holds the VMCS."""
    vmcs = to_vmx(vcpu).loaded_vmcs.vmcs
    points = per_cpu(kvm_running_vcpu, c) == vcpu or per_cpu(last_vcpu, c) == vcpu
    holds = per_cpu(current_vmcs, c) == vmcs or per_cpu(hw_current_vmcs, c) == vmcs
    return points or holds or vmcs.active_on == c
