"""Output that is written whole or not at all; what cannot be written is an error with its place."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import OutputError

STDOUT = "-"
# What can be done where the system says no.
NEXT = {
    errno.ENOENT: "make the folder, or name a file in one that is there",
    errno.ENOTDIR: "name a file in a folder",
    errno.EISDIR: "name a file in that folder",
    errno.ENAMETOOLONG: "name a file with a shorter name",
    errno.ENOSPC: "make room there, or name a file elsewhere",
    errno.EDQUOT: "make room there, or name a file elsewhere",
    errno.EFBIG: "raise the limit of the shell (ulimit -f), or name a file elsewhere",
}
# Where a file beside the old one cannot take its place: a folder that may not be written, a file
# that something is mounted on.
IN_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)


SHELL = "standard output"


def _refused(path: str, e: OSError) -> OutputError:
    told = NEXT.get(e.errno or 0, "name a file in a folder that you may write")
    return OutputError(
        "LP0520",
        f"cannot write {path}: {os.strerror(e.errno) if e.errno else e}",
        where=path,
        expected="a file that can be written",
        next="send it to where it can be written" if path == SHELL else told,
    )


class ReaderGone(Exception):
    """The other end of a pipe was closed: whoever read has seen enough."""


class _Raw(io.FileIO):
    """A file whose failure is an OutputError; nothing is tried again after one.

    :param quiet: it is none: where messages cannot be said, there is nobody to say that to
    """

    def __init__(self, file: int, shown: str, *, closefd: bool = True, quiet: bool = False) -> None:
        super().__init__(file, "wb", closefd=closefd)
        self.shown, self.quiet, self.failed = shown, quiet, False

    def write(self, data: Any, /) -> int:
        if self.failed:
            return len(data)
        try:
            return super().write(data) or 0
        except OSError as e:
            self.failed = True
            if self.quiet:
                return len(data)
            if isinstance(e, BrokenPipeError):
                raise ReaderGone from None
            raise _refused(self.shown, e) from None


def guard_streams() -> None:
    """From now on, standard output that cannot be written is an OutputError too.

    Where standard error cannot, messages are lost and nothing else. Raises OutputError LP0520 where
    standard output is closed.
    """
    gone = sys.stdout is None
    for name, number in (("stdout", 1), ("stderr", 2)):
        old = getattr(sys, name)
        if old is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (it stays open)
            continue
        raw = _Raw(number, SHELL, closefd=False, quiet=number == 2)
        new = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=old.encoding,
            errors="backslashreplace",  # a file's name need not be UTF-8
            line_buffering=number == 2 or old.isatty(),
        )
        setattr(sys, name, new)
    if gone:
        raise _refused(SHELL, OSError(errno.EBADF, ""))


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _special(path: str) -> bool:
    """Whether ``path`` is there and no ordinary file: a device, a pipe."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(mode)


def _beside(path: str) -> tuple[int, str]:
    """A new file in the folder of ``path``, open, and its name; with the mode of the old one."""
    part = os.path.join(os.path.dirname(path) or ".", f".loadput-{uuid.uuid4().hex}")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with contextlib.suppress(OSError):
        os.fchmod(fd, stat.S_IMODE(os.stat(path).st_mode))
    return fd, part


def check_output(name: str) -> None:
    """Raise OutputError LP0520 where ``name`` cannot be written: before the work, not after."""
    if name == STDOUT:
        return
    path = os.path.realpath(name)
    try:
        if _special(path):
            return
        if len(os.fsencode(os.path.basename(path))) > 255:
            raise OSError(errno.ENAMETOOLONG, "")
        try:
            fd, part = _beside(path)
        except OSError as e:
            if e.errno not in IN_PLACE or not os.access(path, os.W_OK):
                raise
            return
        os.close(fd)
        os.unlink(part)
    except OSError as e:
        raise _refused(name, e) from None


@contextlib.contextmanager
def open_output(name: str | Path) -> Iterator[BinaryIO]:
    """A file to write to; it takes its place when all of it is there, else nothing is left of it.

    A device or a pipe is written to as it is. Raises OutputError LP0520.
    """
    shown = str(name)
    path, part = os.path.realpath(shown), ""
    try:
        if _special(path):
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        else:
            try:
                fd, part = _beside(path)
            except OSError as e:
                if e.errno not in IN_PLACE or not os.access(path, os.W_OK):
                    raise
                fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    except OSError as e:
        raise _refused(shown, e) from None
    raw = _Raw(fd, shown)
    whole = False
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            _settle(raw, shown)
        if part:
            _take_place(part, path, shown)
        whole = True
    finally:
        if not whole:
            with contextlib.suppress(OSError):
                if part:
                    os.unlink(part)
                elif os.path.isfile(path):
                    os.truncate(path, 0)


def _settle(raw: _Raw, shown: str) -> None:
    """What the system puts off until now: a network's disk is full only when it is asked."""
    try:
        os.fsync(raw.fileno())
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):
            raw.failed = True
            raise _refused(shown, e) from None


def _take_place(part: str, path: str, shown: str) -> None:
    try:
        os.replace(part, path)
    except OSError as e:
        if e.errno not in IN_PLACE:
            raise _refused(shown, e) from None
        data = Path(part).read_bytes()
        try:
            Path(path).write_bytes(data)
        except OSError as again:
            raise _refused(shown, again) from None
        os.unlink(part)


def store(name: str | Path, data: bytes) -> None:
    """Write ``data`` to a file, or to standard output for ``-``; raises OutputError LP0520."""
    if str(name) == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with open_output(name) as file:
        file.write(data)


def make_folder(prefix: str) -> Path | None:
    """A new folder here, or in the first place where one can be made; None where there is none."""
    for where in (os.curdir, tempfile.gettempdir, Path.home):
        with contextlib.suppress(OSError, RuntimeError):
            root = where() if callable(where) else where
            return Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    return None
