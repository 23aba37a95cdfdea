"""Stepping through a program's states by hand: what may come next, what may not and why."""
