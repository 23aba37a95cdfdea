# [Modified in twin:mips_put_keeps_cu1]
def kvm_lose_fpu(vcpu: ptr[kvm_vcpu]):
    """As kvm_lose_fpu(), arch/mips/kvm/mips.c, without clearing Status.CU1."""
    if vcpu.arch.fpu_in_use:
        vcpu.arch.fpu = this_cpu_read(hw_guest_fp)
        this_cpu_write(hw_guest_fp, 0)
        vcpu.arch.fpu_in_use = False
