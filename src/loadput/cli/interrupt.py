"""Ctrl-C: a search ends as at a limit, so that what is decided is still said."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from types import FrameType

INTERRUPTED = 130
"""The exit code: as a shell says it of a command that SIGINT ended."""

_asked = threading.Event()


def interrupted() -> bool:
    """Whether the user wants an end."""
    return _asked.is_set()


def end_softly() -> None:
    """From now on the first Ctrl-C only asks for an end; another one is KeyboardInterrupt."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _ask)


def _ask(number: int, frame: FrameType | None) -> None:
    if multiprocessing.parent_process():  # which was asked, and tells it
        _asked.set()
        return
    if _asked.is_set():
        raise KeyboardInterrupt
    _asked.set()
    for child in multiprocessing.active_children():
        with contextlib.suppress(OSError):
            if child.pid:
                os.kill(child.pid, signal.SIGINT)
    with contextlib.suppress(OSError):  # not by sys.stderr: that may be writing
        os.write(2, b"\ninterrupted: what is decided follows; Ctrl-C again ends at once\n")
