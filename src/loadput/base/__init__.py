"""Errors and source places: what every other room may use."""
