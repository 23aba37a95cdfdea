"""The arm64 part of design B on v7.3: a parameter that nothing here reads, and one more direct caller.

Mirrors: arch/arm64/kvm/arm.c, arch/arm64/kvm/debug.c, v7.3, after
20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/arm64/kvm/arm.c, v7.3; Omits: as in release:v7.3"""
    mmu = addr(vcpu.kvm.arch.mmu)

    kvm_arm_vmid_update(addr(mmu.vmid))

    if this_cpu(last_vcpu_ran)[mmu - 1] != vcpu:
        __kvm_flush_cpu_context(mmu)
        this_cpu(last_vcpu_ran)[mmu - 1] = vcpu

    vcpu.cpu = cpu

    kvm_vgic_load(vcpu)
    kvm_vcpu_load_debug(vcpu)
    if has_vhe():
        kvm_vcpu_load_vhe(vcpu)
    kvm_arch_vcpu_load_fp(vcpu)


# [Modified in design:B]
def kvm_debug_handle_oslar(vcpu: ptr[kvm_vcpu], val: bool):
    """A direct caller: not the scheduler, so false.

    Mirrors: kvm_debug_handle_oslar(), arch/arm64/kvm/debug.c, v7.3
    """
    vcpu.arch.os_lock = val

    preempt_disable()
    kvm_arch_vcpu_put(vcpu)
    kvm_arch_vcpu_load(vcpu, smp_processor_id(), False)
    preempt_enable()
