"""When a command ends: ``--max-time`` bounds all that a verb does, not each of its searches.

A part of it may have an end of its own, where the command has none. What takes long calls `look`
now and then; a search ends as at its own limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .errors import TimeUp

T = TypeVar("T")
_end: list[float] = []
_left_behind: list[threading.Thread] = []


def end_in(seconds: float | None) -> None:
    """The command ends in ``seconds``; None: when it is done."""
    _end[:] = [] if seconds is None else [time.monotonic() + seconds]


@contextmanager
def untimed() -> Iterator[None]:
    """What was found out is told inside, however late it is."""
    kept, _end[:] = list(_end), []
    try:
        yield
    finally:
        _end[:] = kept


class _Own(threading.local):
    """The end of what one thread does."""

    end: float | None = None


_own = _Own()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done inside, by this thread, ends in ``seconds``, where the command has no end."""
    before = _own.end
    _own.end = None if _end else time.monotonic() + seconds
    try:
        yield
    finally:
        _own.end = before


def _ends() -> float | None:
    return _end[0] if _end else _own.end


def left() -> float | None:
    """The seconds that are left, at least 0; None where there is no end."""
    end = _ends()
    return max(0.0, end - time.monotonic()) if end is not None else None


def is_up() -> bool:
    """Whether the time is up."""
    end = _ends()
    return end is not None and time.monotonic() >= end


def look() -> None:
    """Raise TimeUp where the time is up."""
    if is_up():
        raise TimeUp


def within(work: Callable[[], T]) -> T:
    """What ``work`` returns, which cannot look at the clock: where it takes longer than there is
    time, it is left behind in a thread of its own.

    :raises TimeUp: the time was up before it was done
    """
    if left() is None:
        return work()
    got: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            got.append(work())
        except BaseException as e:
            failed.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait(thread)
    if thread.is_alive():
        raise TimeUp
    if failed:
        raise failed[0]
    return got[0]


def wait(thread: threading.Thread) -> None:
    """Until ``thread`` is done, or the time is up."""
    thread.join(left())
    if thread.is_alive():
        _left_behind.append(thread)


def has_left_something() -> bool:
    """Whether a thread runs on that nobody waits for: the process cannot end in the usual way."""
    return any(t.is_alive() for t in _left_behind)
