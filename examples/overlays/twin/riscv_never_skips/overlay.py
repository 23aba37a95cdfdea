"""riscv's load restores at each load, as before v7.1.

Ours: a wrong v7.2, for docs/conform.md.
"""

OVERLAY = Overlay(name="riscv_never_skips", parent="D", release="v7.2", arch="riscv")
