"""What powerpc keeps of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_vcpu_arch, arch/powerpc/include/asm/kvm_host.h; struct kvmppc_vcore,
arch/powerpc/include/asm/kvm_book3s.h; struct thread_struct, arch/powerpc/include/asm/processor.h, v6.12
"""

RESUME_HOST = 0
RESUME_GUEST = 1


class kvmppc_vcpu_state(enum):
    KVMPPC_VCPU_NOTREADY = 0
    KVMPPC_VCPU_RUNNABLE = 1
    KVMPPC_VCPU_BUSY_IN_HOST = 2


# A vCPU has a vcore of its own; busy_preempt is whether it is not TB_NIL; stolen_tb and what the
# guest finds in its VPA, enqueue_dispatch_tb, are sums; mer is LPCR_MER, or the interrupt injected.
class kvm_vcpu_arch(struct):
    state: kvmppc_vcpu_state
    busy_preempt: bool
    stolen_tb: token[stolen, vcpu] = own
    vpa_stolen: token[stolen, vcpu] = own
    thread_cpu: cpu = -1
    ceded: bool
    prodded: bool
    doorbell_request: bool
    mer: bool
    fp: token[guest_fp, vcpu] = own


# msr_fp is MSR_FP in task->thread.regs->msr: the registers hold the task's state.
class thread_struct(struct):
    fp_state: token[fp, task] = own
    msr_fp: bool


# The FP registers of a CPU hold a task's state, or a guest's; and an IPI is on its way to it.
hw_fp: per_cpu[lazy[token[fp, task], thread_struct.msr_fp]]
hw_guest_fp: per_cpu[token[guest_fp, vcpu]]
ipi_pending: per_cpu[bool]

# A task that used FP not long ago has its state loaded when the CPU switches to it.
reloads_fp = False
