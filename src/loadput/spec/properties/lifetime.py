"""What the end of a VM must not leave behind."""

# Whose guest this CPU's branch predictor may have learned from since its last barrier.
hw_predictor: per_cpu[ghost[ptr[kvm_vcpu]]]
# That vCPU has been freed since, and the next one may have its address.
predictor_of_freed: per_cpu[ghost[bool]]


@property_(
    source="arch/x86/kvm/svm/svm.c svm_vcpu_free(), virt/kvm/kvm_main.c kvm_vcpu_destroy(), v6.12",
    twin="svm-ibpb-vmcb-aba",
    where="vm_lifetime",
)
@at_entry(vcpu_memory_is_freed)
def FREED_IS_FORGOTTEN(vcpu: ptr[kvm_vcpu]) -> bool:
    """When a vCPU's memory is freed, no CPU, online or not, points to it any more."""
    for c in each(cpu):
        if cpu_remembers(c, vcpu):
            return False
    return True


@monitor(where="vm_lifetime, ibpb_exit_to_user")
@at_entry(indirect_branch_prediction_barrier)
def predictor_forgets():
    this_cpu_write(hw_predictor, NULL)
    this_cpu_write(predictor_of_freed, False)


@monitor(where="vm_lifetime")
@at_entry(vcpu_address_is_free)
def predictor_is_of_the_dead(vcpu: ptr[kvm_vcpu]):
    for c in each(cpu):
        if per_cpu(hw_predictor, c) == vcpu:
            WRITE_ONCE(per_cpu(predictor_of_freed, c), True)


@monitor(where="vm_lifetime, ibpb_exit_to_user")
@at_exit(svm_vcpu_enter_exit)
@at_exit(vmx_vcpu_enter_exit)
def predictor_learns(vcpu: ptr[kvm_vcpu]):
    this_cpu_write(hw_predictor, vcpu)


@property_(
    source='Linux commit fd65d3142f73 ("kvm: svm: Ensure an IBPB on all affected CPUs when freeing a'
    ' vmcb")',
    twin="svm-ibpb-vmcb-aba",
    where="vm_lifetime",
)
@at_entry(svm_vcpu_enter_exit)
@at_entry(vmx_vcpu_enter_exit)
def PREDICTOR_OWN(vcpu: ptr[kvm_vcpu]) -> bool:
    """Where a guest runs, the branch predictor has learned from no other guest since its last
    barrier.
    """
    if this_cpu(predictor_of_freed):
        return False
    return this_cpu(hw_predictor) == NULL or this_cpu(hw_predictor) == vcpu


@property_(
    source="arch/x86/kvm/x86.c vcpu_enter_guest(), arch/x86/include/asm/entry-common.h, v6.12.y",
    twin="ibpb_flag_set_late",
    where="ibpb_exit_to_user",
)
@at_exit(arch_exit_to_user_mode_prepare)
def PREDICTOR_AT_USER() -> bool:
    """User mode, of whatever process, does not run on what a guest has taught the branch predictor."""
    return this_cpu(hw_predictor) == NULL
