"""The riscv part of design B: a parameter that nothing here reads.

Mirrors: arch/riscv/kvm/vcpu.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/riscv/kvm/vcpu.c; Omits: as in arch:riscv"""
    __this_cpu_write(hw_vs_csr, vcpu.arch.guest_csr)
    __this_cpu_write(hw_hvip, vcpu.arch.hvip)

    kvm_riscv_gstage_update_hgatp(vcpu)

    kvm_riscv_vcpu_timer_restore(vcpu)

    kvm_riscv_vcpu_host_fp_save(vcpu)
    kvm_riscv_vcpu_guest_fp_restore(vcpu)

    kvm_make_request(KVM_REQ_STEAL_UPDATE, vcpu)

    vcpu.cpu = cpu


# [Modified in design:B]
def kvm_riscv_reset_vcpu(vcpu: ptr[kvm_vcpu]):
    """A direct caller: not the scheduler, so false.

    Mirrors: kvm_riscv_reset_vcpu(), arch/riscv/kvm/vcpu.c; Omits: as in arch:riscv
    """
    get_cpu()
    loaded = vcpu.cpu != -1
    if loaded:
        kvm_arch_vcpu_put(vcpu)

    forget_exit_cpu(vcpu)

    reset_registers(vcpu)

    if loaded:
        kvm_arch_vcpu_load(vcpu, smp_processor_id(), False)
    put_cpu()
