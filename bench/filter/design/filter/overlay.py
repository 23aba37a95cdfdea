"""Peterson's filter lock for five processes: a program that is not KVM's, for bench/run.py.

Source: G. L. Peterson, Myths about the mutual exclusion problem, Information Processing Letters
12(3), 1981
"""

OVERLAY = Overlay(name="filter", parent="D", arch="riscv", source="Peterson 1981")
