# [Modified in twin:mips_one_sided]
def kvm_vz_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_vz_vcpu_load(), arch/mips/kvm/vz.c, without the test of last_vcpu[]."""
    all = vcpu.arch.last_sched_cpu != cpu

    this_cpu_write(last_vcpu, vcpu)

    if current.thread.pf_vcpu:
        kvm_vz_vcpu_load_tlb(vcpu, cpu)
        kvm_vz_vcpu_load_wired(vcpu)

    if not all:
        return

    this_cpu_write(hw_gc0, vcpu.arch.cop0)

    this_cpu_write(hw_guestctl2, vcpu.arch.guestctl2)
