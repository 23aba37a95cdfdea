"""Work for a task that runs a guest: a signal, or that another task is to run."""


class task_struct(struct):
    # Since the guest was last entered, or KVM_RUN began, nobody has said that there is no work.
    work_unasked: ghost[bool]
    # On the way through xfer_to_guest_mode_handle_work(): what has not been asked yet.
    signal_left: ghost[bool]
    resched_left: ghost[bool]
    # It has found a signal there, and is to go back to user mode.
    is_to_leave: ghost[bool]


@monitor
@at_entry(kvm_arch_vcpu_ioctl_run)
def work_may_be_there(vcpu: ptr[kvm_vcpu]):
    current.work_unasked = ASKS_BEFORE_FIRST_ENTRY != 0


@monitor
@at_exit(guest_state_enter_irqoff)
def work_may_have_come():
    current.work_unasked = True


@monitor
@at_exit(kvm_arch_vcpu_ioctl_run)
def work_is_user_modes(vcpu: ptr[kvm_vcpu]):
    current.work_unasked = False


@monitor
@at_exit(kvmppc_may_enter)
def task_turns_back(ret: bool):
    # As handle_work() does on other architectures, before it asks again.
    current.work_unasked = current.work_unasked or not ret


@monitor
@at_exit(xfer_to_guest_mode_work_pending)
def asks_for_work(ret: bool):
    if irqs_disabled():
        current.work_unasked = ret


@monitor
@at_exit(signal_pending)
def asks_for_signal(p: ptr[task_struct], ret: bool):
    # Who is about to sleep asks for another reason.
    if p.in_kvm_run and p.__state == TASK_RUNNING:
        p.signal_left = ret and p.signal_left
        if irqs_disabled():
            p.work_unasked = ret


@monitor
@at_exit(need_resched)
def asks_for_resched(ret: bool):
    current.resched_left = False


@monitor
@at_entry(xfer_to_guest_mode_handle_work)
def work_is_to_be_handled(vcpu: ptr[kvm_vcpu]):
    current.work_unasked = True
    current.signal_left = True
    current.resched_left = preempt_model != PREEMPT_FULL


@monitor
@at_exit(xfer_to_guest_mode_handle_work)
def work_is_handled(vcpu: ptr[kvm_vcpu], ret: int):
    current.signal_left = False
    current.resched_left = False
    current.is_to_leave = ret < 0


@monitor
@at_entry(vcpu_put)
@at_exit(__vcpu_run)
@at_exit(kvmhv_run_single_vcpu)
def leaves(vcpu: ptr[kvm_vcpu]):
    current.is_to_leave = False


@property_(
    source="Documentation/virt/kvm/api.rst, KVM_RUN: EINTR; xfer_to_guest_mode_work_pending(),"
    " include/linux/entry-kvm.h, v6.12",
    twin="work_not_asked",
    where="ASKS_WITH_IRQS_OFF",
)
@at_entry(guest_state_enter_irqoff)
def WORK_ASKED() -> bool:
    """Before each entry of a guest its task has asked, with interrupts off, whether a signal or another
    task waits, and was told no; nor was a signal found before, which ends KVM_RUN.
    """
    return not (current.work_unasked or current.is_to_leave)


@monitor
@at_entry(kvm_mips_handle_exit)
def interrupt_may_have_asked(vcpu: ptr[kvm_vcpu], exccode: upto[1]):
    current.resched_left = exccode == EXCCODE_INT and preempt_model != PREEMPT_FULL


@property_(
    source="xfer_to_guest_mode_work(), kernel/entry/kvm.c; kvm_mips_handle_exit(),"
    " arch/mips/kvm/mips.c, v6.12",
    twin="arm64_signal_not_handled",
)
@at_exit(xfer_to_guest_mode_handle_work)
@at_exit(kvm_mips_handle_exit)
def WORK_HANDLED(vcpu: ptr[kvm_vcpu], ret: int) -> bool:
    """Who has handled a guest's work goes on only if no signal waits, and has let another task run if
    that was to.
    """
    return ret != 0 or not (current.signal_left or current.resched_left)
