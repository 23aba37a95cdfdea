"""Interrupts and exceptions on their way into the guest.

Mirrors: arch/loongarch/kvm/interrupt.c, v6.12
"""


# [New in arch:loongarch]
def kvm_deliver_intr(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_deliver_intr(), kvm_irq_deliver(), arch/loongarch/kvm/interrupt.c, v6.12

    Context: IRQs off, the vCPU is loaded; clear_bit() and GINTC are one step
    Omits: irq_clear; the interrupts that are bits of ESTAT: a device's is one of GINTC
    """
    with atomic:
        if READ_ONCE(vcpu.irq_pending):
            vcpu.irq_pending = False
            this_cpu_write(hw_gintc, True)


# [New in arch:loongarch]
def kvm_deliver_exception(vcpu: ptr[kvm_vcpu]):
    """The exception is written to the guest's CSRs on this CPU: CRMD, PRMD, ERA, ESTAT, BADV, BADI.
    Whether an exit handler has queued one is free.

    Mirrors: kvm_deliver_exception(), _kvm_deliver_exception(), arch/loongarch/kvm/interrupt.c, v6.12
    Context: IRQs off, on the way to the guest
    """
    with atomic:
        if choose():
            fresh(this_cpu(hw_gcsr), vcpu)


# [Modified in arch:loongarch]
def device_interrupt():
    """A device's interrupt for a vCPU arrives at this CPU: post it, and kick; there is no request.

    Mirrors: kvm_vcpu_ioctl_interrupt(), arch/loongarch/kvm/vcpu.c; kvm_queue_irq(),
    arch/loongarch/include/asm/kvm_vcpu.h, v6.12
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
    kvm_vcpu_kick(vcpu)


# [New in arch:loongarch]
def is_injected(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, takes an interrupt from the CPU's registers."""
    return this_cpu(hw_gintc)


# [New in arch:loongarch]
def is_kicked(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, is about to be interrupted by the IPI of a kick."""
    return vcpu.mode == EXITING_GUEST_MODE
