"""riscv's load does not ask on which CPU the vCPU's last exit was.

Ours: a wrong v7.2, for docs/conform.md.
"""

OVERLAY = Overlay(name="riscv_skip_anywhere", parent="D", release="v7.2", arch="riscv")
