"""Conformance: the specification run along a recording of a real kernel."""

from .judge import RELEASES, conform_trace, find_arch
from .result import Conformance, Count, Divergence, Fit

__all__ = ["RELEASES", "Conformance", "Count", "Divergence", "Fit", "conform_trace", "find_arch"]
