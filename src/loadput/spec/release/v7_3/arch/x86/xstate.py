"""What vcpu_enter_guest() of v7.3 gives to the guest around its run loop: XCR0 and XSS, the PMU, PKRU.

Mirrors: arch/x86/kvm/x86.c, arch/x86/kvm/pmu.c, kernel/events/core.c, arch/x86/kernel/process_64.c,
v7.3. XCR0 stands for XSS too. A task's PKRU is its own.
"""

# The guest has XCR0, XSS and PKRU of its own.
guest_xstate = True
# User mode changes its PKRU with its FS base; else a task has one value of its own.
user_writes_pkru = False
# The guest's counters are the CPU's while it runs: kvm_vcpu_has_mediated_pmu().
mediated_pmu = True

XCR0_HOST = 0
XCR0_GUEST = 1

hw_xcr0: per_cpu[upto[1]]
hw_pkru: per_cpu[token[pkru, task]]
guest_ctx_loaded: per_cpu[bool]


class thread_struct(struct):
    pkru: token[pkru, task] = own


class kvm_vcpu_arch(struct):
    host_pkru: token[pkru, task]


# [Modified in release:v7.3]
def __switch_to(prev: ptr[task_struct], next: ptr[task_struct]):
    """Save what prev has in the registers, load what next had.

    Mirrors: __switch_to(), arch/x86/kernel/process_64.c, v7.3
    Context: IRQs off, rq lock held; one step with the change of the stack, and with
    switch_mm_irqs_off(), which context_switch() calls just before
    Omits: FPU, TLS, DS and ES, the task stack, resctrl
    """
    switch_mm_irqs_off(next)
    save_fsgs(prev)
    x86_fsgsbase_load(prev, next)
    x86_pkru_load(prev, next)


# [New in release:v7.3]
def x86_pkru_load(prev: ptr[task_struct], next: ptr[task_struct]):
    """Mirrors: x86_pkru_load(), arch/x86/kernel/process_64.c, v7.3

    The copy in thread.pkru means nothing while the task runs; it is forgotten here.
    """
    prev.thread.pkru = this_cpu(hw_pkru)
    this_cpu_write(hw_pkru, next.thread.pkru)
    next.thread.pkru = NULL


# [Modified in release:v7.3]
def user_mode_work():
    """User mode may give its FS base, and its PKRU where a scenario sets user_writes_pkru, new values
    at any time (WRFSBASE, WRPKRU), as one.

    Mirrors: nothing in the kernel: the instructions do not enter it
    """
    with atomic:
        write_user_base()
        if user_writes_pkru:
            fresh(this_cpu(hw_pkru), current)


# [New in release:v7.3]
def guest_state_protected(vcpu: ptr[kvm_vcpu]) -> bool:
    """Only with SEV-ES.

    Mirrors: vcpu->arch.guest_state_protected, arch/x86/include/asm/kvm_host.h, v7.3
    """
    return False


# [New in release:v7.3]
def kvm_load_xfeatures(vcpu: ptr[kvm_vcpu], load_guest: bool):
    """Mirrors: kvm_load_xfeatures(), arch/x86/kvm/x86.c, v7.3; Omits: a guest that uses the host's"""
    if guest_state_protected(vcpu):
        return

    if guest_xstate:
        this_cpu_write(hw_xcr0, load_guest)


# [New in release:v7.3]
def kvm_load_guest_pkru(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_load_guest_pkru(), arch/x86/kvm/x86.c, v7.3; Omits: a guest that has the same"""
    if guest_state_protected(vcpu):
        return

    if guest_xstate:
        this_cpu_write(hw_pkru, NULL)


# [New in release:v7.3]
def kvm_load_host_pkru(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_load_host_pkru(), arch/x86/kvm/x86.c, v7.3; Omits: the guest's own value"""
    if guest_state_protected(vcpu):
        return

    if guest_xstate:
        this_cpu_write(hw_pkru, vcpu.arch.host_pkru)


# [New in release:v7.3]
def perf_load_guest_context():
    """Mirrors: perf_load_guest_context(), kernel/events/core.c, v7.3; Omits: the host's events"""
    WARN_ON_ONCE(not irqs_disabled())
    if WARN_ON_ONCE(this_cpu(guest_ctx_loaded)):
        return
    __this_cpu_write(guest_ctx_loaded, True)


# [New in release:v7.3]
def perf_put_guest_context():
    """Mirrors: perf_put_guest_context(), kernel/events/core.c, v7.3; Omits: the host's events"""
    WARN_ON_ONCE(not irqs_disabled())
    if WARN_ON_ONCE(not this_cpu(guest_ctx_loaded)):
        return
    __this_cpu_write(guest_ctx_loaded, False)


# [New in release:v7.3]
def kvm_mediated_pmu_load(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_mediated_pmu_load(), arch/x86/kvm/pmu.c, v7.3; Omits: the counters, LVTPC"""
    if mediated_pmu:
        perf_load_guest_context()


# [New in release:v7.3]
def kvm_mediated_pmu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_mediated_pmu_put(), arch/x86/kvm/pmu.c, v7.3; Omits: the counters, LVTPC"""
    if mediated_pmu:
        perf_put_guest_context()


# [Modified in release:v7.3]
def vcpu_enter_guest(vcpu: ptr[kvm_vcpu]) -> int:
    """Mirrors: vcpu_enter_guest(), arch/x86/kvm/x86.c, v7.3

    Returns: 1 go on, 0 back to user space
    Omits: the other requests; the test that one is pending at all; MMU, APIC, FPU, debug registers;
    the fast path that enters again at once; cancel_injection
    """
    if kvm_check_request(KVM_REQ_STEAL_UPDATE, vcpu):
        record_steal_time(vcpu)
    if kvm_check_request(KVM_REQ_PMU, vcpu):
        kvm_pmu_handle_event(vcpu)
    if kvm_check_request(KVM_REQ_EVENT, vcpu):
        kvm_check_and_inject_events(vcpu)

    preempt_disable()

    kvm_x86_prepare_switch_to_guest(vcpu)

    local_irq_disable()

    smp_store_release(vcpu.mode, IN_GUEST_MODE)

    smp_mb__after_srcu_read_unlock()

    kvm_x86_sync_pir_to_irr(vcpu)

    if kvm_vcpu_exit_request(vcpu):
        vcpu.mode = OUTSIDE_GUEST_MODE
        smp_wmb()
        local_irq_enable()
        preempt_enable()
        return 1

    kvm_load_xfeatures(vcpu, True)
    snapshot_host_debugctl(vcpu)
    kvm_mediated_pmu_load(vcpu)
    kvm_load_guest_pkru(vcpu)
    kvm_x86_vcpu_run(vcpu)

    kvm_load_host_pkru(vcpu)
    kvm_mediated_pmu_put(vcpu)

    vcpu.mode = OUTSIDE_GUEST_MODE
    smp_wmb()

    kvm_load_xfeatures(vcpu, False)
    kvm_x86_handle_exit_irqoff(vcpu)
    note_that_guest_ran()

    local_irq_enable()
    local_irq_disable()

    local_irq_enable()
    preempt_enable()

    if proxy_exec and choose():
        pit_ioport_write(vcpu)
        return 1

    return kvm_x86_handle_exit(vcpu)


# [New in release:v7.3]
def pit_ioport_write(vcpu: ptr[kvm_vcpu]):
    """An exit whose handler takes a mutex, that of the interrupt timer.

    Mirrors: pit_ioport_write(), arch/x86/kvm/i8254.c, v7.3; Omits: all but the mutex
    Context: preemptible, the vCPU is loaded
    """
    mutex_lock()
