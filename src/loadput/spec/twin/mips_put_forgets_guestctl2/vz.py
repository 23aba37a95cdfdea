# [Modified in twin:mips_put_forgets_guestctl2]
def kvm_vz_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_vz_vcpu_put(), arch/mips/kvm/vz.c, without GuestCtl2."""
    if current.thread.pf_vcpu:
        kvm_vz_vcpu_save_wired(vcpu)

    kvm_lose_fpu(vcpu)

    vcpu.arch.cop0 = this_cpu_read(hw_gc0)
    this_cpu_write(hw_wired, 0)
