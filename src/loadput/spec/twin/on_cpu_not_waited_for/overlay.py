"""Broken on purpose: a task may be picked while another CPU runs it."""

OVERLAY = Overlay(name="on_cpu_not_waited_for", parent="D", arch="riscv", scenario="migration", breaks="ONE_CPU_A_TASK")
