"""virt/kvm/kvm_main.c, broken."""


# [Modified in twin:sched_in_true_at_vcpu_load]
def vcpu_load(vcpu: ptr[kvm_vcpu]):
    """As design B has vcpu_load(), with the wrong argument."""
    cpu = get_cpu()

    __this_cpu_write(kvm_running_vcpu, vcpu)
    preempt_notifier_register(addr(vcpu.preempt_notifier))
    kvm_arch_vcpu_load(vcpu, cpu, True)
    put_cpu()
