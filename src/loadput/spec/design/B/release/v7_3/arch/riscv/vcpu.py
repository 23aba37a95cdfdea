"""The riscv part of design B on v7.3: a parameter that nothing here reads.

Mirrors: arch/riscv/kvm/vcpu.c, v7.3, after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c, v7.3; Omits: as in release:v7.3"""
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


# [Modified in design:B]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """A direct caller: not the scheduler, so false.

    Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c, v7.3
    Omits: as in release:v7.2
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    vcpu.arch.last_exit_cpu = -1

    reset_registers(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id(), False)
    put_cpu()
