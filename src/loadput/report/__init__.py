"""Results as text and JSON: it computes nothing."""
