"""What arm64 keeps of a VM, of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_s2_mmu, struct kvm_vmid, struct kvm_cpu_context, struct kvm_vcpu_arch,
struct kvm_host_data, arch/arm64/include/asm/kvm_host.h; struct thread_struct,
arch/arm64/include/asm/processor.h, v6.12
"""

# Another vCPU asks for this one's reset (PSCI CPU_ON) at any time.
guest_resets = True
# Another VM uses up the VMIDs.
vmid_rollover = False

KVM_REQ_IRQ_PENDING = 0

ARM_EXCEPTION_IRQ = 0
ARM_EXCEPTION_TRAP = 1

FP_STATE_FREE = 0
FP_STATE_GUEST_OWNED = 1

VMID_ROLLED_OVER = 0
VMID_ACTIVE_INVALID = 1


class kvm(struct):
    arch: embed[kvm_arch]


class kvm_arch(struct, per="vm"):
    mmu: embed[kvm_s2_mmu]


class kvm_s2_mmu(struct, per="vm"):
    vmid: embed[kvm_vmid]


# The VM has run before: it has a VMID of the current generation.
class kvm_vmid(struct, per="vm"):
    id: token[vmid, vm] = own
    gen_match: bool = True


class kvm_vcpu_arch(struct):
    ctxt: embed[kvm_cpu_context]
    lr: bool


# Nobody's (0) from the time that the guest has newer values in the registers.
class kvm_cpu_context(struct, per="vcpu"):
    sys_regs: token[el1, vcpu] = own
    fp_regs: token[guest_fp, vcpu] = own


class task_struct(struct):
    thread_info: embed[thread_info]


class thread_info(struct, per="task"):
    foreign_fpstate: bool = 1


class thread_struct(struct):
    tp_value: token[tpidr, task] = own
    fpsimd_state: token[fp, task] = own


# Registers of a CPU. TPIDR_EL0 and TPIDRRO_EL0 count as one; nobody's (0) while a guest's are in.
hw_tpidr: per_cpu[token[tpidr, task]] = idle_task
hw_el1: per_cpu[token[el1, vcpu]]
hw_vttbr: per_cpu[token[vmid, vm]]

# The V registers hold a task's state, or a guest's, or nobody's.
hw_fp: per_cpu[token[fp, task]]
hw_guest_fp: per_cpu[token[guest_fp, vcpu]]

# For each VM: the vCPU whose translations this CPU's TLB may hold under the VM's VMID.
hw_tlb: per_cpu[array[ptr[kvm_vcpu], vm]]

# mmu->last_vcpu_ran: the kernel keeps vcpu_idx, -1 at first.
last_vcpu_ran: per_cpu[array[ptr[kvm_vcpu], vm]]

# struct kvm_host_data: host_ctxt.sys_regs[TPIDR_EL0], fp_owner.
host_ctxt_tpidr: per_cpu[copy[token[tpidr, task]]]
fp_owner: per_cpu[upto[1]]

# arch/arm64/kvm/vmid.c: 0 after a rollover, 1 for VMID_ACTIVE_INVALID, 1 + VM.
active_vmids: per_cpu[upto[5]]
reserved_vmids: per_cpu[upto[5]]
