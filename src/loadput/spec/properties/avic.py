"""What the table of physical APIC ids promises to whoever sends an interrupt by it."""


@monitor(where="avic")
@at_entry(kvm_lapic_set_irr)
def send_begins(vcpu: ptr[kvm_vcpu]):
    vcpu.in_post = vcpu.in_post + 1


@monitor(where="avic")
@at_entry(ipi_is_sent)
def send_ends(vcpu: ptr[kvm_vcpu]):
    vcpu.in_post = vcpu.in_post - 1


@property_(
    source="arch/x86/kvm/svm/avic.c avic_vcpu_load(), avic_vcpu_put(), v6.12",
    twin="avic-set-running-stale-cpu",
    where="avic",
)
@always
def RUNNING_NAMES_CPU() -> bool:
    """An entry of the table that is marked running names the CPU on which its vCPU is loaded."""
    for v in each(kvm_vcpu):
        entry = addr(to_svm(v).avic_physical_id_cache)
        if entry.is_running and per_cpu(kvm_running_vcpu, entry.host_physical_id) != v:
            return False
    return True


@property_(
    source="AMD64 Architecture Programmer's Manual volume 2, AVIC doorbell;"
    " arch/x86/kvm/svm/svm.c svm_deliver_interrupt(), v6.12",
    twin="avic-set-running-stale-cpu",
    where="avic",
)
@at_entry(guest_takes_doorbell)
def DOORBELL_REACHES_GUEST(vcpu: ptr[kvm_vcpu]) -> bool:
    """While a guest runs, an interrupt that is pending for it has its doorbell on the way to this CPU,
    or a sender that is not done.
    """
    return not vcpu.irq_pending or this_cpu_ptr(addr(hw_avic)).doorbell or vcpu.in_post


@property_(
    source="arch/x86/kvm/svm/avic.c avic_vcpu_put(), enum avic_vcpu_action, v7.3",
    twin="avic_ga_log_always",
    where="avic",
)
@at_exit(kvm_arch_vcpu_load)
@at_exit(kvm_arch_vcpu_put)
def GA_LOG_IFF_BLOCKING(vcpu: ptr[kvm_vcpu]) -> bool:
    """The IOMMU logs what it posts for a vCPU that waits, and only for one that waits."""
    return to_svm(vcpu).avic_physical_id_entry.ga_log_intr == kvm_vcpu_is_blocking(vcpu)
