"""arch/x86/kvm/svm/svm_ops.h with a VMSAVE that stores LDTR only the first time."""


# [Modified in twin:ldtr_saved_once]
def vmsave(pa: ptr[vmcb_save_area]):
    """As vmsave(), but LDTR only where the area has none."""
    with atomic:
        pa.fs = this_cpu(hw_fs)
        if pa.ldtr == NULL:
            pa.ldtr = this_cpu(hw_ldtr)
