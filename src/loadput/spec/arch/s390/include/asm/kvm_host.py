"""What s390 keeps of a vCPU, of a task, and in a CPU's registers.

Mirrors: struct kvm_vcpu_arch, struct kvm_s390_sie_block, struct kvm_s390_gisa_interrupt,
arch/s390/include/asm/kvm_host.h; struct lowcore, arch/s390/include/asm/lowcore.h, v6.12
"""


# idle and kicked are the vCPU's bits of kvm->arch.idle_mask and gisa_int.kicked_mask; cputm_start is
# whether it is not 0; acrs is kvm_run's copy of the guest's access registers.
class kvm_vcpu_arch(struct):
    sie_block: embed[kvm_s390_sie_block]
    enabled_gmap: ptr[kvm] = own
    idle: bool
    kicked: bool
    cputm_enabled: bool
    cputm_start: bool
    acrs: token[guest_acrs, vcpu] = own
    host_acrs: token[acrs, task]


# Bits of cpuflags (CPUSTAT_…), prog0c (PROG_IN_SIE) and prog20 (PROG_REQUEST, PROG_BLOCK_SIE).
# CPUSTAT_EXT_INT stands for CPUSTAT_IO_INT as well.
class kvm_s390_sie_block(struct, per="vcpu"):
    running: bool
    wait: bool
    ext_int: bool
    stop_int: bool
    in_sie: bool
    request: bool
    block: bool


# An adapter interrupt is pending in the GISA: any vCPU of the VM takes it in SIE, without an exit.
class kvm(struct):
    gisa_ipm: bool


class thread_struct(struct):
    acrs: token[acrs, task] = own
    guest_acrs: token[guest_acrs, vcpu]


# lowcore.gmap of a CPU; its access registers hold a task's, or a guest's.
lowcore_gmap: per_cpu[token[gmap, vm]]
hw_acrs: per_cpu[token[acrs, task]]
hw_guest_acrs: per_cpu[token[guest_acrs, vcpu]]
