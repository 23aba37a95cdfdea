"""What x86 of v7.3 switches around its run loop, with interrupts off."""


@property_(
    source="arch/x86/kvm/x86.c kvm_load_xfeatures(), vcpu_enter_guest(), v7.3",
    twin="xfeatures_swapped",
    where="guest_xstate",
)
@at_entry(observe_from_irq)
def HOST_XSTATE() -> bool:
    """While interrupts are on, XCR0 is the host's: a handler may use the FPU."""
    return this_cpu(hw_xcr0) == XCR0_HOST


@property_(
    source="arch/x86/kvm/x86.c kvm_load_xfeatures(), kvm_load_guest_pkru(), v7.3",
    twin="xfeatures_swapped",
    where="guest_xstate",
)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def GUEST_XSTATE() -> bool:
    """The guest runs with its own XCR0 and PKRU."""
    return this_cpu(hw_xcr0) == XCR0_GUEST and this_cpu(hw_pkru) == NULL


@property_(
    source="kernel/events/core.c perf_load_guest_context(), perf_put_guest_context(), v7.3",
    twin="mediated_put_lost",
    where="mediated_pmu",
)
@at_entry(observe_from_irq)
def HOST_COUNTERS() -> bool:
    """While interrupts are on, the CPU's counters are the host's."""
    return not this_cpu(guest_ctx_loaded)


@forget_(
    bodies="kvm_arch_vcpu_load, kvm_arch_vcpu_put",
    origin="arch:x86, release:v7.3, design:A, design:B, design:C",
)
@at_exit(kvm_arch_vcpu_put)
def host_pkru_is_dead(vcpu: ptr[kvm_vcpu]):
    """Each load reads it anew, and it is restored before the next put."""
    vcpu.arch.host_pkru = NULL
