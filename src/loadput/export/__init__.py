"""The same machine as a model for other checkers: SPIN (Promela) and rumur (Murphi)."""

from .murphi import export_murphi
from .promela import export_promela

__all__ = ["export_murphi", "export_promela"]
