"""What riscv keeps of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_vcpu_arch, struct kvm_cpu_context, arch/riscv/include/asm/kvm_host.h; struct
thread_struct, arch/riscv/include/asm/processor.h, v6.12
"""

# Another hart asks for this one's reset (SBI HSM) at any time.
guest_resets = True
# The host injects traps into the guest.
guest_traps = True
# Another vCPU has got their VM a new VMID.
hgatp_updates = False


# F and D registers in memory are nobody's (0) from the time that the guest has newer ones on the CPU;
# of the CSRs each copy but the newest is old. hvip: guest_csr.hvip; irq_pending: arch.irqs_pending; one
# bit of each, VSSIP.
class kvm_vcpu_arch(struct):
    guest_csr: token[vs_csr, vcpu] = own
    guest_context: embed[kvm_cpu_context]
    host_context_fp: token[fp, task]
    hvip: bool
    irqs_pending_mask: bool


class kvm_cpu_context(struct, per="vcpu"):
    fp: token[guest_fp, vcpu] = own
    fs_dirty: bool


# fs_dirty: task_pt_regs(task)->status & SR_FS is SR_FS_DIRTY.
class thread_struct(struct):
    fstate: token[fp, task] = own
    fs_dirty: bool


# Registers of a CPU. VSSTATUS, VSIE, VSTVEC, VSSCRATCH, VSEPC, VSCAUSE, VSTVAL and VSATP are one.
hw_vs_csr: per_cpu[token[vs_csr, vcpu]]
hw_hgatp: per_cpu[token[hgatp, vm]]
# HVIP.VSSIP.
hw_hvip: per_cpu[bool]

# The F and D registers hold a task's state, or a guest's; nobody's under an idle task.
hw_fregs: per_cpu[token[fp, task]]
hw_guest_fregs: per_cpu[token[guest_fp, vcpu]]
