"""Kernel Python and kernel C, both lowered to the one IR through one small syntax tree."""
