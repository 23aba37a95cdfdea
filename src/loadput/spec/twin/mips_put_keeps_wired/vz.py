# [Modified in twin:mips_put_keeps_wired]
def kvm_vz_vcpu_put(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """As kvm_vz_vcpu_put(), arch/mips/kvm/vz.c, without kvm_vz_vcpu_save_wired()."""
    kvm_lose_fpu(vcpu)

    vcpu.arch.cop0 = this_cpu_read(hw_gc0)
    this_cpu_write(hw_wired, 0)

    vcpu.arch.guestctl2 = this_cpu_read(hw_guestctl2)
