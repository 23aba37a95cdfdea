"""Overlays laid over mainline, by function name, give a program."""
