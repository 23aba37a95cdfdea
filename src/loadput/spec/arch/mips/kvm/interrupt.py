"""Interrupts on their way into the guest.

Mirrors: arch/mips/kvm/interrupt.c, arch/mips/kvm/vz.c, arch/mips/kvm/mips.c, v6.12
"""


# [New in arch:mips]
def kvm_mips_deliver_interrupts(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_mips_deliver_interrupts(), arch/mips/kvm/interrupt.c; kvm_vz_irq_deliver_cb(),
    arch/mips/kvm/vz.c, v6.12

    Context: IRQs off, the vCPU is loaded; clear_bit() and GuestCtl2 are one step
    Omits: interrupts that are taken back; the timer's; a CPU without GuestCtl2
    """
    with atomic:
        if READ_ONCE(vcpu.irq_pending):
            this_cpu_write(hw_guestctl2, True)
            vcpu.irq_pending = False


# [Modified in arch:mips]
def device_interrupt():
    """An interrupt for a vCPU: post it, and wake the vCPU if it waits. There is no kick: a guest that
    runs finds it after its next exit.

    Mirrors: kvm_vcpu_ioctl_interrupt(), arch/mips/kvm/mips.c; kvm_vz_queue_irq(),
    arch/mips/kvm/vz.c, v6.12
    """
    with atomic:
        assume((device_irq_cpus >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        vcpu.irq_pending = True
    rcuwait_wake_up(addr(vcpu.wait))


# [New in arch:mips]
def is_injected(vcpu: ptr[kvm_vcpu]) -> bool:
    """Ours: the guest, which runs here, takes an interrupt from the CPU's registers."""
    return this_cpu(hw_guestctl2)
