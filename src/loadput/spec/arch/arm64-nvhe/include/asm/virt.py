"""Where the kernel runs.

Mirrors: arch/arm64/include/asm/virt.h, v6.12
"""


# [Modified in arch:arm64-nvhe]
def has_vhe() -> bool:
    """Mirrors: has_vhe(), arch/arm64/include/asm/virt.h, v6.12"""
    return False
