"""What loongarch keeps of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_vcpu_arch, struct kvm_context, arch/loongarch/include/asm/kvm_host.h; struct
thread_struct, arch/loongarch/include/asm/processor.h, v6.12
"""

RESUME_HOST = 0
RESUME_GUEST = 1


# swcsr_latest, hwcsr_usable and fpu_in_use are the bits KVM_LARCH_SWCSR_LATEST,
# KVM_LARCH_HWCSR_USABLE and KVM_LARCH_FPU of aux_inuse.
class kvm_vcpu_arch(struct):
    csr: token[gcsr, vcpu] = own
    gintc: bool
    fpu: token[guest_fp, vcpu] = own
    swcsr_latest: bool
    hwcsr_usable: bool
    fpu_in_use: bool
    last_sched_cpu: cpu = -1
    st: embed[kvm_steal]


class kvm_steal(struct, per="vcpu"):
    last_steal: token[run_delay, task]


class kvm_context(struct, per="cpu"):
    last_vcpu: ptr[kvm_vcpu]


vmcs: per_cpu[kvm_context]


# used_fpu is TIF_USEDFPU.
class thread_struct(struct):
    fpu: token[fp, task] = own
    used_fpu: bool


class task_struct(struct):
    sched_info_run_delay: token[run_delay, task] = own


# Registers of a CPU. The guest's CSRs are one; the root's GINTC, which injects interrupts, is apart.
hw_gcsr: per_cpu[token[gcsr, vcpu]]
hw_gintc: per_cpu[bool]

# The FP registers hold a task's state, or a guest's; EUEN.FPEN lets both use them.
hw_fp: per_cpu[lazy[token[fp, task], hw_fpen]]
hw_guest_fp: per_cpu[lazy[token[guest_fp, vcpu], hw_fpen]]
hw_fpen: per_cpu[bool]
