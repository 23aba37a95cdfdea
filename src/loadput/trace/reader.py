"""Open a recording, whatever tool wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadput.base.errors import TraceError

from .cursor import read_bytes
from .raw import RawBackend
from .source import Progress
from .table import Backend, Trace

if TYPE_CHECKING:
    from pathlib import Path

# Unpacked pages that are kept in memory; of a larger recording they are unpacked again.
CACHE_BYTES = 512 << 20


def read_trace(
    path: str | Path, *, progress: Progress | None = None, cache_bytes: int = CACHE_BYTES
) -> Trace:
    """Open a recording and return its :class:`Trace`; events are decoded when asked for.

    Reads trace.dat (version 6 and 7), perf.data (file and pipe mode), ftrace's ``trace`` file,
    the text of ``trace-cmd report`` and of ``perf script``, each also packed with xz, gz or zst.

    :param progress: called with (bytes done, bytes in all) while pages are read
    :param cache_bytes: unpacked pages kept between calls; those of a larger file are unpacked again
    :raises TraceError: LP0600 cannot open; LP0601 truncated; LP0602 damaged; LP0603 damaged
        compression; LP0604 damaged format; LP0606 not supported
    """
    data = read_bytes(path)
    name = str(path)
    if not len(data):
        raise TraceError("LP0601", "empty file", where=name, expected="a recording")
    from .formats.perfdata import is_perfdata, open_perfdata
    from .formats.tracedat import is_tracedat, open_tracedat

    backend: Backend
    if is_tracedat(data):
        backend = RawBackend(open_tracedat(data, name, cache_bytes), progress=progress)
    elif is_perfdata(data):
        backend = RawBackend(open_perfdata(data, name), progress=progress)
    else:
        from .formats.text import open_text

        backend = open_text(data, name)
    return Trace(backend)
