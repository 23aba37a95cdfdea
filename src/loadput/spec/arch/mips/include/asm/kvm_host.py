"""What mips keeps of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_vcpu_arch, arch/mips/include/asm/kvm_host.h; struct thread_struct,
arch/mips/include/asm/processor.h; last_vcpu[], arch/mips/kvm/vz.c, v6.12
"""

RESUME_HOST = 0
RESUME_GUEST = 1


# fpu_in_use is the bit KVM_MIPS_AUX_FPU of aux_inuse.
class kvm_vcpu_arch(struct):
    cop0: token[gc0, vcpu] = own
    guestctl2: bool
    wired_tlb: token[wired, vcpu] = own
    fpu: token[guest_fp, vcpu] = own
    fpu_in_use: bool
    last_sched_cpu: cpu = -1


last_vcpu: per_cpu[ptr[kvm_vcpu]]


# used_fpu is TIF_USEDFPU; pf_vcpu is PF_VCPU of task->flags: guest time is counted.
class thread_struct(struct):
    fpu: token[fp, task] = own
    used_fpu: bool
    pf_vcpu: bool


# Registers of a CPU. The guest's CP0 registers are one, but for Wired and the entries of the guest
# TLB that it keeps; the root's GuestCtl2, which injects interrupts, is apart.
hw_gc0: per_cpu[token[gc0, vcpu]]
hw_guestctl2: per_cpu[bool]
hw_wired: per_cpu[token[wired, vcpu]]

# The FP registers hold a task's state, or a guest's; the root's Status.CU1 lets both use them.
hw_fp: per_cpu[lazy[token[fp, task], hw_cu1]]
hw_guest_fp: per_cpu[lazy[token[guest_fp, vcpu], hw_cu1]]
hw_cu1: per_cpu[bool]
