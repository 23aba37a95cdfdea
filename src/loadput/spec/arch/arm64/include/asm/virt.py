"""Where the kernel runs.

Mirrors: arch/arm64/include/asm/virt.h, v6.12
"""


# [New in arch:arm64]
def has_vhe() -> bool:
    """Mirrors: has_vhe(), arch/arm64/include/asm/virt.h, v6.12"""
    return True
