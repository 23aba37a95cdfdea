"""AVIC as v7.3 has it: KVM keeps its own copy of a vCPU's entry, the table shows it to the hardware
where IPIs are virtualized, and the IOMMU has a third copy for the interrupts that it posts.

Mirrors: arch/x86/kvm/svm/avic.c, v7.3; drivers/iommu/amd/iommu.c, v7.3
"""

# The module's enable_ipiv: off on CPUs of family 17h, by erratum 1235. IPIs then always exit.
enable_ipiv = True
# A device's interrupts are posted by the IOMMU; the CPUs at which that is shown, a bit each.
avic_posting: setting[cpu_mask] = 0


class kvm_avic_entry(struct, per="vcpu"):
    is_running: bool
    host_physical_id: cpu = 0
    # AVIC_PHYSICAL_ID_ENTRY_GA_LOG_INTR, which is KVM's own.
    ga_log_intr: bool


class irte_ga(struct, per="vcpu"):
    # is_run and its destination; -1: not running.
    destination: cpu = -1
    ga_log_intr: bool
    # On its way: the IOMMU's log has an entry for the vCPU.
    logged: bool


class vcpu_svm(struct):
    avic_physical_id_entry: embed[kvm_avic_entry]
    irte: embed[irte_ga]


class avic_vcpu_action(enum):
    AVIC_RUNNING = 0
    AVIC_START_BLOCKING = 1


# [New in release:v7.3]
def avic_update_iommu_vcpu_affinity(vcpu: ptr[kvm_vcpu], cpu: cpu, action: avic_vcpu_action):
    """Mirrors: avic_update_iommu_vcpu_affinity(), arch/x86/kvm/svm/avic.c; amd_iommu_update_ga(),
    __amd_iommu_update_ga(), drivers/iommu/amd/iommu.c, v7.3

    Context: ir_list_lock held, IRQs off
    Omits: more devices than one; AVIC that is switched on or off, which changes the entry's mode
    """
    if not avic_posting:
        return
    irte = addr(to_svm(vcpu).irte)
    with atomic:
        irte.destination = cpu
        irte.ga_log_intr = action == AVIC_START_BLOCKING


# [New in release:v7.3]
def __avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, action: avic_vcpu_action):
    """Mirrors: __avic_vcpu_load(), arch/x86/kvm/svm/avic.c, v7.3

    Context: preemption off
    Omits: ir_list_lock, which here nobody else wants, but for its IRQs off
    """
    local_irq_save(flags)
    entry = addr(to_svm(vcpu).avic_physical_id_entry)
    WARN_ON_ONCE(entry.is_running)
    entry.host_physical_id = cpu
    entry.is_running = True
    entry.ga_log_intr = False

    slot = addr(to_svm(vcpu).avic_physical_id_cache)
    with atomic:
        slot.host_physical_id = cpu
        slot.is_running = enable_ipiv

    avic_update_iommu_vcpu_affinity(vcpu, cpu, action)
    local_irq_restore(flags)


# [Modified in release:v7.3]
def avic_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: avic_vcpu_load(), arch/x86/kvm/svm/avic.c, v7.3"""
    if kvm_vcpu_is_blocking(vcpu):
        return

    __avic_vcpu_load(vcpu, cpu, AVIC_RUNNING)


# [New in release:v7.3]
def __avic_vcpu_put(vcpu: ptr[kvm_vcpu], action: avic_vcpu_action):
    """Mirrors: __avic_vcpu_put(), arch/x86/kvm/svm/avic.c, v7.3; Omits: as __avic_vcpu_load()

    Context: preemption off
    The CPU in an entry that is not running means nothing; it is forgotten here.
    """
    local_irq_save(flags)
    entry = addr(to_svm(vcpu).avic_physical_id_entry)

    avic_update_iommu_vcpu_affinity(vcpu, -1, action)

    WARN_ON_ONCE(entry.ga_log_intr)

    entry.is_running = False
    entry.host_physical_id = 0

    if enable_ipiv:
        slot = addr(to_svm(vcpu).avic_physical_id_cache)
        with atomic:
            slot.is_running = False
            slot.host_physical_id = 0

    if action == AVIC_START_BLOCKING:
        entry.ga_log_intr = True
    local_irq_restore(flags)


# [Modified in release:v7.3]
def avic_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_put(), arch/x86/kvm/svm/avic.c, v7.3"""
    entry = addr(to_svm(vcpu).avic_physical_id_entry)

    if not entry.is_running:
        if WARN_ON_ONCE(not kvm_vcpu_is_blocking(vcpu)):
            return

        if not WARN_ON_ONCE(not entry.ga_log_intr):
            return

    if kvm_vcpu_is_blocking(vcpu):
        __avic_vcpu_put(vcpu, AVIC_START_BLOCKING)
    else:
        __avic_vcpu_put(vcpu, AVIC_RUNNING)


# [Modified in release:v7.3]
def avic_vcpu_blocking(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_blocking(), arch/x86/kvm/svm/avic.c, v7.3"""
    __avic_vcpu_put(vcpu, AVIC_START_BLOCKING)


# [New in release:v7.3]
def avic_vcpu_free(vcpu: ptr[kvm_vcpu]):
    """Mirrors: avic_vcpu_free(), arch/x86/kvm/svm/avic.c, v7.3"""
    slot = addr(to_svm(vcpu).avic_physical_id_cache)
    with atomic:
        slot.is_running = False
        slot.host_physical_id = 0


# [New in release:v7.3]
@irq
@env
def amd_iommu_posts():
    """Ours: the IOMMU posts a device's interrupt: it sets the virtual IRR, and rings the CPU that its
    entry names, or logs it where the entry says so. It needs no CPU; it is shown at one.

    Source: AMD I/O Virtualization Technology specification, guest virtual APIC
    """
    with atomic:
        assume(avic and (avic_posting >> smp_processor_id()) & 1)
        vcpu = choose_vcpu()
        assume(vcpu.device_irqs and not vcpu.irq_pending)
        kvm_lapic_set_irr(vcpu)
        irte = addr(to_svm(vcpu).irte)
        if irte.destination != -1:
            per_cpu_ptr(addr(hw_avic), irte.destination).doorbell = True
        elif irte.ga_log_intr:
            irte.logged = True
        ipi_is_sent(vcpu)


# [New in release:v7.3]
@irq
def avic_ga_log_notifier():
    """The IOMMU's driver has read its log.

    Mirrors: avic_ga_log_notifier(), arch/x86/kvm/svm/avic.c, v7.3; Omits: the driver's thread
    """
    with atomic:
        assume(avic_posting != 0)
        vcpu = choose_vcpu()
        irte = addr(to_svm(vcpu).irte)
        assume(irte.logged)
        irte.logged = False
    kvm_vcpu_wake_up(vcpu)
