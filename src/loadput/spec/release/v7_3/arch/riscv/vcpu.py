"""Load, put and the entry, with the vector registers.

Mirrors: arch/riscv/kvm/vcpu.c, v7.3
"""


# [Modified in release:v7.3]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.3

    Context: preemption off; IRQs on, rq lock not held
    """
    if vcpu != __this_cpu_read(kvm_former_vcpu):
        __this_cpu_write(kvm_former_vcpu, vcpu)
        restore_csrs(vcpu)
    elif vcpu.arch.last_exit_cpu == cpu and not vcpu.arch.csr_dirty:
        csr_restore_is_skipped(vcpu)
    else:
        restore_csrs(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)
    vector_load()

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu


# [Modified in release:v7.3]
def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """The CSRs keep what they hold.

    Mirrors: kvm_arch_vcpu_put(), arch/riscv/kvm/vcpu.c, v7.3
    Context: preemption off; at sched_out IRQs off and rq lock held
    Omits: AIA, SBI NACL
    """
    vcpu.cpu = -1

    kvm_riscv_vcpu_guest_fp_save(vcpu)
    kvm_riscv_vcpu_host_fp_restore(vcpu)

    kvm_riscv_vcpu_timer_save(vcpu)

    vector_put(vcpu)

    vcpu.arch.guest_csr = __this_cpu_read(hw_vs_csr)
    vcpu.arch.hvip = __this_cpu_read(hw_hvip)


# [Modified in release:v7.3]
def guest_runs(vcpu: ptr[kvm_vcpu]):
    """Ours: the guest's own instructions. Every other copy of its VS CSRs is old from here on."""
    fresh(this_cpu(hw_vs_csr), vcpu)
    vcpu.arch.guest_context.fp = 0
    vcpu.arch.guest_context.fs_dirty = True
    if uses_vector:
        fresh(this_cpu(hw_guest_v), vcpu)
        vcpu.arch.guest_context.vs_dirty = True
    guest_uses_memory(vcpu)
    if this_cpu(hw_hvip):
        this_cpu_write(hw_hvip, False)
        vcpu.irq_pending = False


# [Modified in release:v7.3]
def kvm_riscv_vcpu_enter_exit(vcpu: ptr[kvm_vcpu]) -> upto[1]:
    """Mirrors: kvm_riscv_vcpu_enter_exit(), arch/riscv/kvm/vcpu.c, v7.3

    Omits: SCOUNTEREN, SENVCFG, SSTATEEN0, SSP, HSTATUS, which are exchanged at every entry and exit
    """
    guest_state_enter_irqoff()
    vector_enter(vcpu)
    scause = __kvm_riscv_switch_to(vcpu)
    vcpu.arch.last_exit_cpu = vcpu.cpu
    guest_state_exit_irqoff()
    return scause
