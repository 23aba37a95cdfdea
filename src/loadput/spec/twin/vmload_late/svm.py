"""arch/x86/kvm/svm/svm.c with VMLOAD of the host's state deferred, but not to sched_out."""


# [Modified in twin:vmload_late]
def __svm_vcpu_run(svm: ptr[vcpu_svm]):
    """As __svm_vcpu_run(), without VMLOAD of the host's state."""
    with atomic:
        this_cpu_write(hw_fs, NULL)

    with atomic:
        this_cpu_write(hw_fs, NULL)


# [Modified in twin:vmload_late]
def svm_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """As svm_vcpu_put(), with VMLOAD of the host's state where the task may go to user mode."""
    svm = to_svm(vcpu)
    sd = this_cpu_ptr(addr(svm_data))

    if svm.guest_state_loaded and not vcpu.scheduled_out:
        with atomic:
            this_cpu_write(hw_fs, sd.save_area_pa.fs)
    svm_prepare_host_switch(vcpu)
