"""A vCPU that somebody has stopped stays stopped, and no longer than that: arm64, s390."""


class kvm(struct):
    halters: ghost[upto[2]]


class kvm_vcpu(struct):
    sleeps: ghost[bool]
    # An interrupt is in a list register, pending or active.
    lr_live: ghost[bool]


@monitor
@at_exit(kvm_arm_halt_guest)
@at_exit(kvm_s390_vcpu_block_all)
def is_halted(kvm: ptr[kvm]):
    kvm.halters += 1


@monitor
@at_entry(kvm_arm_resume_guest)
@at_entry(kvm_s390_vcpu_unblock_all)
def is_let_go(kvm: ptr[kvm]):
    kvm.halters -= 1


@monitor
@at_entry(kvm_vcpu_sleep)
def sleeps(vcpu: ptr[kvm_vcpu]):
    vcpu.sleeps = True


@monitor
@at_exit(kvm_vcpu_sleep)
def sleeps_no_more(vcpu: ptr[kvm_vcpu]):
    vcpu.sleeps = False


@monitor
@at_exit(kvm_vgic_flush_hwstate)
def lrs_are_filled(vcpu: ptr[kvm_vcpu]):
    vcpu.lr_live = vcpu.arch.lr


@monitor
@at_exit(kvm_vgic_sync_hwstate)
def lrs_are_folded(vcpu: ptr[kvm_vcpu]):
    vcpu.lr_live = False


@property_(
    source="arch/arm64/kvm/arm.c kvm_arm_halt_guest(), v6.12.117; kvm_s390_vcpu_block_all(),"
    " arch/s390/kvm/kvm-s390.h, v6.12",
    twin="arm64-pause-bool",
    where="irq_bypass, tod_sets",
)
@at_entry(guest_runs)
def HALTED_WHILE_HELD(vcpu: ptr[kvm_vcpu]) -> bool:
    """A guest does not run while somebody who has stopped its VM has not let go."""
    return vcpu.kvm.halters == 0


@property_(
    source="vgic_access_active_prepare(), arch/arm64/kvm/vgic/vgic-mmio.c, v6.12: the halter changes what"
    " list registers are folded into; kvm_arch_vcpu_ioctl_run(), arch/arm64/kvm/arm.c, v7.3",
    twin="arm64_lrs_before_request_test",
    where="irq_bypass",
)
@at_exit(kvm_arm_halt_guest)
def HALTED_IS_SYNCED(kvm: ptr[kvm]) -> bool:
    """Once a VM is stopped, no vCPU of it has an interrupt in a list register that is still to be folded
    back into memory. Violated in v6.12: suspected, source reading and model only."""
    for v in each(kvm_vcpu):
        if v.kvm == kvm and v.lr_live:
            return False
    return True


@property_(
    source="arch/arm64/kvm/arm.c kvm_arm_resume_guest(), v6.12.117",
    twin="arm64_resume_without_wake",
    where="irq_bypass",
)
@stuck
def LET_GO_RUNS_AGAIN() -> bool:
    """When nothing moves any more, no vCPU sleeps because it was stopped."""
    for t in each(task_struct):
        if not t.is_idle and t.vcpu != NULL and is_asleep(t) and t.vcpu.sleeps:
            return False
    return True
