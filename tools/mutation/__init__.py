"""Damaging the specification on purpose, to see whether a property notices: ``make mutate``."""
