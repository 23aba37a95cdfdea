"""The posted-interrupt descriptor: what posts into it, and what the CPU does about it by itself.

Mirrors: arch/x86/include/asm/posted_intr.h, v6.12. One vector stands for all, in PIR, in the
virtual APIC's IRR and in RVI. Only where a scenario sets enable_apicv.
"""

# The module's enable_apicv: virtual-interrupt delivery and posted interrupts.
enable_apicv = False
# The VM has a device assigned whose interrupts the IOMMU posts; the CPUs at which that is shown, a
# bit each.
vtd_posting: setting[cpu_mask] = 0


class pi_vector(enum):
    POSTED_INTR_VECTOR = 0
    POSTED_INTR_WAKEUP_VECTOR = 1


class pi_desc(struct, per="vcpu"):
    pir: bool
    on: bool
    sn: bool = 1
    nv: pi_vector
    ndst: cpu = 0


class kvm_vcpu_arch(struct):
    irr: bool


class vmcs(struct):
    rvi: bool


# Interrupts that wait at a CPU's own APIC, by vector.
irr_posted_intr: per_cpu[bool]
irr_posted_intr_wakeup: per_cpu[bool]


# [New in arch:vmx]
def pi_test_and_set_pir(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_test_and_set_pir(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return xchg(pi.pir, True)


# [New in arch:vmx]
def pi_test_and_set_on(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_test_and_set_on(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return xchg(pi.on, True)


# [New in arch:vmx]
def pi_test_and_clear_sn(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_test_and_clear_sn(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return xchg(pi.sn, False)


# [New in arch:vmx]
def pi_is_pir_empty(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_is_pir_empty(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return not READ_ONCE(pi.pir)


# [New in arch:vmx]
def pi_set_on(pi: ptr[pi_desc]):
    """Mirrors: pi_set_on(), arch/x86/include/asm/posted_intr.h, v6.12: set_bit(), a locked instruction"""
    xchg(pi.on, True)


# [New in arch:vmx]
def pi_clear_on(pi: ptr[pi_desc]):
    """Mirrors: pi_clear_on(), arch/x86/include/asm/posted_intr.h, v6.12: clear_bit(), a locked instruction"""
    xchg(pi.on, False)


# [New in arch:vmx]
def pi_test_on(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_test_on(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return READ_ONCE(pi.on)


# [New in arch:vmx]
def pi_set_sn(pi: ptr[pi_desc]):
    """Mirrors: pi_set_sn(), arch/x86/include/asm/posted_intr.h, v6.12: set_bit(), a locked instruction"""
    xchg(pi.sn, True)


# [New in arch:vmx]
def pi_test_sn(pi: ptr[pi_desc]) -> bool:
    """Mirrors: pi_test_sn(), arch/x86/include/asm/posted_intr.h, v6.12"""
    return READ_ONCE(pi.sn)


# [New in arch:vmx]
def __apic_send_IPI(cpu: cpu, vector: pi_vector):
    """An interrupt that is on its way waits at the CPU's APIC until the CPU takes it. The APIC of a CPU
    that is offline does not take it, nor is it sent again.

    Mirrors: __apic_send_IPI_mask(), __apic_send_IPI_self(), arch/x86/kernel/apic/, v6.12
    """
    if not cpu_online(cpu):
        return
    if vector == POSTED_INTR_WAKEUP_VECTOR:
        WRITE_ONCE(per_cpu(irr_posted_intr_wakeup, cpu), True)
    else:
        WRITE_ONCE(per_cpu(irr_posted_intr, cpu), True)


# [Modified in arch:vmx]
def interrupts_are_lost():
    """Mirrors: native_cpu_disable(), arch/x86/kernel/smpboot.c, which disables the APIC; fixup_irqs(),
    arch/x86/kernel/irq.c, v6.12, which sends again what a device's own vector has, and these have none
    """
    this_cpu_write(irr_posted_intr, False)
    this_cpu_write(irr_posted_intr_wakeup, False)


# [New in arch:vmx]
@irq
@env
def device_posts_interrupt():
    """Ours: the IOMMU posts a device's interrupt: it sets PIR, and where neither SN nor ON is set also ON,
    and then sends NV to the CPU in NDST. All in one step, at any time; it is shown at a CPU that
    has interrupts on, and needs none.

    Source: Intel VT-d specification 5.2.3, which vmx_vcpu_pi_load(), arch/x86/kvm/vmx/posted_intr.c,
    v6.12, names
    """
    with atomic:
        assume((vtd_posting >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        pi = addr(to_vmx(vcpu).pi_desc)
        assume(vcpu.device_irqs and not pi.pir)
        assume(not device_assignment or vcpu.kvm.irte_posted)
        pi.pir = True
        if not pi.sn and not pi.on:
            pi.on = True
            __apic_send_IPI(pi.ndst, pi.nv)


# [New in arch:vmx]
def guest_takes_interrupt(vcpu: ptr[kvm_vcpu]):
    """Ours: virtual-interrupt delivery: the vector goes from IRR to the guest, and RVI with it.

    Source: Intel SDM volume 3, virtual-interrupt delivery
    """
    vcpu.arch.irr = False
    vmcs = this_cpu(hw_current_vmcs)
    vmcs.rvi = False


# [New in arch:vmx]
def guest_with_apicv(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest runs. Its CPU takes a notification by itself, from PIR to IRR and RVI; and the
    guest takes what RVI says, unless it has its interrupts off.

    Source: Intel SDM volume 3, posted-interrupt processing, virtual-interrupt delivery
    """
    while choose():
        with atomic:
            vmcs = this_cpu(hw_current_vmcs)
            if this_cpu(irr_posted_intr):
                pi = addr(to_vmx(vcpu).pi_desc)
                this_cpu_write(irr_posted_intr, False)
                pi.on = False
                if pi.pir:
                    pi.pir = False
                    vcpu.arch.irr = True
                    vmcs.rvi = True
            if vmcs.rvi and choose():
                guest_takes_interrupt(vcpu)
