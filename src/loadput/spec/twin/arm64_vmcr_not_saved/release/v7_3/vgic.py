# [Modified in twin:arm64_vmcr_not_saved]
def __vgic_v3_save_state(cpu_if: ptr[vgic_v3_cpu_if]):
    """Memory keeps what the load before found, as no exit reads it back."""
    pass
