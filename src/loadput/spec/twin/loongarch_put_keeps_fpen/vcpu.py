# [Modified in twin:loongarch_put_keeps_fpen]
def kvm_lose_fpu(vcpu: ptr[kvm_vcpu]):
    """As kvm_lose_fpu(), arch/loongarch/kvm/vcpu.c, without clearing EUEN.FPEN."""
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)
        vcpu.arch.fpu_in_use = False
