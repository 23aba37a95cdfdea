"""The powerpc part of design B: a parameter that nothing here reads.

Mirrors: arch/powerpc/kvm/powerpc.c after 20240430193157.419425-1-seanjc@google.com
"""


# [Modified in design:B]
def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu, sched_in: bool):
    """Mirrors: kvm_arch_vcpu_load(), arch/powerpc/kvm/powerpc.c"""
    kvmppc_core_vcpu_load_hv(vcpu, cpu)
