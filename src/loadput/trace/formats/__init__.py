"""One file per tool whose output we read; each gives a :class:`loadput.trace.source.Source`."""
