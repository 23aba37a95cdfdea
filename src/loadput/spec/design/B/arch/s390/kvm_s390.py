"""The s390 part of design B: a parameter that nothing here reads.

Mirrors: arch/s390/kvm/kvm-s390.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/s390/kvm/kvm-s390.c; Context: as in arch:s390"""
    gmap_enable(vcpu.arch.enabled_gmap)
    xchg(vcpu.arch.sie_block.running, True)
    if vcpu.arch.cputm_enabled and not is_vcpu_idle(vcpu):
        __start_cpu_timer_accounting(vcpu)
    vcpu.cpu = cpu
