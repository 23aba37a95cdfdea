"""Open a recording, whatever tool wrote it."""

from __future__ import annotations

import os
import re
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
    path: str | Path,
    *,
    file: str = "",
    progress: Progress | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Trace:
    """Open a recording and return its :class:`Trace`; events are decoded when asked for.

    Reads trace.dat (version 6 and 7), perf.data (file, pipe mode, the directory that
    ``perf record --threads`` makes), ftrace's ``trace`` file,
    the text of ``trace-cmd report`` and of ``perf script``, each also packed with xz, gz or zst.

    :param file: which recording of a text that holds several (``trace-cmd report -i A -i B``)
    :param progress: called with (bytes done, bytes in all) while pages are read
    :param cache_bytes: unpacked pages, and as much of where the records stand, kept between calls;
        a larger file is unpacked and walked again
    :raises TraceError: LP0600 cannot open; LP0601 truncated; LP0602 damaged; LP0603 damaged
        compression; LP0604 damaged format; LP0606 not supported; LP0608 several
        recordings, or none called ``file``
    """
    name = str(path)
    others: list[str] = []
    if os.path.isdir(name):
        name, others = _find_files(name)
    data = read_bytes(name)
    if not len(data):
        raise TraceError("LP0601", "empty file", where=name, expected="a recording")
    from .formats.perfdata import is_perfdata, open_perfdata
    from .formats.tracedat import is_tracedat, open_tracedat

    backend: Backend
    if is_tracedat(data):
        source = open_tracedat(data, name, cache_bytes)
        backend = RawBackend(source, progress=progress, keep_bytes=cache_bytes)
    elif is_perfdata(data):
        parts = [(other, read_bytes(other)) for other in others]
        perf = open_perfdata(data, name, parts)
        backend = RawBackend(perf, progress=progress, keep_bytes=cache_bytes)
    else:
        from .formats.text import open_text

        return Trace(open_text(data, name, file))
    if file:
        raise TraceError(
            "LP0608", f"no recording {file!r} in this file", where=name,
            expected="a text that holds several; this is one recording", next="leave --file out",
        )  # fmt: skip
    return Trace(backend)


def _find_files(folder: str) -> tuple[str, list[str]]:
    # tools/perf/util/data.c: `data` has the header, `data.N` the records of one thread each.
    names = sorted(os.listdir(folder))
    main = next((n for n in ("data", "header") if n in names), None)
    if main is None:
        raise TraceError(
            "LP0600", f"cannot open {folder}: a directory without a perf.data in it",
            expected="a file, or the directory of `perf record --threads`: data, data.0, data.1 ..",
            available=", ".join(names[:12]) or "nothing", next="name the recording itself",
        )  # fmt: skip
    numbers = sorted(int(n[5:]) for n in names if re.fullmatch(r"data\.\d{1,6}", n))
    return os.path.join(folder, main), [os.path.join(folder, f"data.{n}") for n in numbers]
