"""Verdicts: what holds, what is violated and by which schedule, and who is to blame."""
