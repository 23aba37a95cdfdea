"""What a recording says about loads and puts: who, how often, why, and what could be skipped."""

from __future__ import annotations

from .result import Accounting, account_trace

__all__ = ["Accounting", "account_trace"]
