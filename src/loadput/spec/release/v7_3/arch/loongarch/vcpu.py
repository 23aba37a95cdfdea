"""The guest's FPU is loaded on the way in, by request; GSTAT goes with load and put; the guest is told
when its CPU is taken away.

Mirrors: arch/loongarch/kvm/vcpu.c, arch/loongarch/kvm/exit.c, v7.3
"""

# The widest of FPU, LSX and LASX that the guest has: KVM_LARCH_FPU stands for it.
KVM_REQ_FPU_LOAD = 2

# The guest knows KVM_FEATURE_PREEMPT: it is told in memory that its CPU was taken away.
guest_knows_preempt = False
# User space gives a vCPU another steal-time area (KVM_SET_DEVICE_ATTR).
steal_area_moves = False


class kvm_steal(struct):
    preempted: bool


class kvm_vcpu_arch(struct):
    gstat: token[gstat, vcpu] = own
    # What the guest reads: st->preempted in its memory.
    preempted_byte: bool


# GSTAT of a CPU: the VPID under which it runs guests.
hw_gstat: per_cpu[token[gstat, vcpu]]


# [Modified in release:v7.3]
def kvm_update_stolen_time(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_update_stolen_time(), arch/loongarch/kvm/vcpu.c, v7.3

    Omits: the sum in guest memory and its version; a write to guest memory that fails
    """
    if not vcpu.steal_time:
        return
    if guest_knows_preempt:
        vcpu.arch.preempted_byte = False
        vcpu.arch.st.preempted = False
    vcpu.arch.st.last_steal = current.sched_info_run_delay


# [New in release:v7.3]
def kvm_late_check_requests(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_late_check_requests(), arch/loongarch/kvm/vcpu.c, v7.3

    Context: IRQs off, on the way to the guest
    Omits: PMU, the TLB's requests, LBT
    """
    if not kvm_request_pending(vcpu):
        return

    if kvm_check_request(KVM_REQ_FPU_LOAD, vcpu):
        kvm_own_fpu(vcpu)


# [Modified in release:v7.3]
def kvm_pre_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """Positive, with IRQs off: enter the guest. An FPU that was loaded for an entry that is given up
    stays loaded.

    Mirrors: kvm_pre_enter_guest(), arch/loongarch/kvm/vcpu.c, v7.3
    Omits: PMU
    """
    while True:
        ret = kvm_enter_guest_check(vcpu)
        if ret != RESUME_GUEST:
            break

        local_irq_disable()
        kvm_deliver_exception(vcpu)
        kvm_check_vpid(vcpu)
        smp_store_mb(vcpu.mode, IN_GUEST_MODE)
        kvm_deliver_intr(vcpu)

        kvm_late_check_requests(vcpu)

        vcpu.arch.swcsr_latest = False

        if kvm_request_pending(vcpu) or xfer_to_guest_mode_work_pending():
            smp_store_mb(vcpu.mode, OUTSIDE_GUEST_MODE)
            local_irq_enable()
            ret = -1
        if ret == RESUME_GUEST:
            break

    return ret


# [Modified in release:v7.3]
def kvm_own_fpu(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_own_fpu(), kvm_own_lsx(), kvm_own_lasx(), arch/loongarch/kvm/vcpu.c, v7.3

    Context: IRQs off: one step
    """
    with atomic:
        this_cpu_write(hw_fpen, True)
        this_cpu_write(hw_guest_fp, vcpu.arch.fpu)
        this_cpu_write(hw_fp, 0)
        vcpu.arch.fpu_in_use = True


# [Modified in release:v7.3]
def kvm_handle_fpu_disabled(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_handle_fpu_disabled(), kvm_handle_lsx_disabled(), kvm_handle_lasx_disabled(),
    arch/loongarch/kvm/exit.c, v7.3
    """
    kvm_make_request(KVM_REQ_FPU_LOAD, vcpu)


# [Modified in release:v7.3]
def _kvm_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: _kvm_vcpu_load(), arch/loongarch/kvm/vcpu.c, v7.3

    Omits: timer, the host's EENTRY, GCNTC, the LL bit, IPR and ISR of a guest with message interrupts
    """
    migrated = vcpu.arch.last_sched_cpu != cpu

    context = per_cpu_ptr(addr(vmcs), cpu)
    if migrated or context.last_vcpu != vcpu:
        context.last_vcpu = vcpu
        vcpu.arch.hwcsr_usable = False

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    if vcpu.arch.hwcsr_usable:
        return

    this_cpu_write(hw_gcsr, vcpu.arch.csr)

    this_cpu_write(hw_gintc, vcpu.arch.gintc)
    this_cpu_write(hw_gstat, vcpu.arch.gstat)

    vcpu.arch.hwcsr_usable = True


# [Modified in release:v7.3]
def _kvm_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: _kvm_vcpu_put(), arch/loongarch/kvm/vcpu.c, v7.3; Omits: as the load"""
    kvm_lose_fpu(vcpu)

    if not vcpu.arch.swcsr_latest:
        vcpu.arch.csr = this_cpu_read(hw_gcsr)
        vcpu.arch.gstat = this_cpu_read(hw_gstat)
        vcpu.arch.swcsr_latest = True

    vcpu.arch.gintc = this_cpu_read(hw_gintc)


# [New in release:v7.3]
def kvm_vcpu_set_pv_preempted(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_vcpu_set_pv_preempted(), arch/loongarch/kvm/vcpu.c, v7.3

    Omits: a task with another mm, which ends; a write to guest memory that fails
    """
    if not vcpu.steal_time:
        return

    if vcpu.arch.st.preempted:
        return

    vcpu.arch.preempted_byte = True
    vcpu.arch.st.preempted = True


# [Modified in release:v7.3]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/loongarch/kvm/vcpu.c, v7.3

    Context: preemption off; at sched_out IRQs off and rq lock held. One step, as the load
    """
    if vcpu.preempted and guest_knows_preempt:
        kvm_vcpu_set_pv_preempted(vcpu)

    local_irq_save(flags)
    with atomic:
        cpu = smp_processor_id()
        vcpu.arch.last_sched_cpu = cpu

        _kvm_vcpu_put(vcpu, cpu)
    local_irq_restore(flags)


# [New in release:v7.3]
def move_steal_area(vcpu: ptr[kvm_vcpu]):
    """Its byte in the new area is 0; arch.st.preempted stays as it is.

    Mirrors: kvm_loongarch_pvtime_set_attr(), arch/loongarch/kvm/vcpu.c, v7.3; Omits: last_steal; no address
    """
    vcpu.arch.preempted_byte = False
    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)


# [Modified in release:v7.3]
def kvm_vcpu_ioctl_get_regs(vcpu: ptr[kvm_vcpu]):
    """A vCPU ioctl that is not KVM_RUN: it sets a CSR in memory, or gets ESTAT from the CPU, or moves
    the steal-time area.

    Mirrors: kvm_vcpu_ioctl(), virt/kvm/kvm_main.c; kvm_arch_vcpu_ioctl() cases KVM_SET_ONE_REG and
    KVM_GET_ONE_REG, _kvm_setcsr(), arch/loongarch/kvm/vcpu.c, v7.3
    """
    lock_vcpu(vcpu)
    if steal_area_moves and choose():
        move_steal_area(vcpu)
    elif choose():
        fresh(vcpu.arch.csr, vcpu)
        vcpu.arch.hwcsr_usable = False
    else:
        _kvm_getcsr(vcpu)
    unlock_vcpu(vcpu)
