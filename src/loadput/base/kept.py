"""What was worked out once, kept on disk under the digest of all that it depends on.

A folder of the user's cache holds one file per key. Whoever asks says what the answer depends on;
the program's own text is always part of it, so that no other version's answer is taken. A file that
is damaged, or that another user wrote, is not used: it is worked out again and written anew. Files
are renamed into place, so that two processes may write the same at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .output import say

PACKAGE = Path(__file__).resolve().parents[1]
MAGIC = b"loadput kept 1\n"
LIMIT_BYTES = 256 << 20
"""Of one shelf: some ten thousand results. The least recently used go first."""
LOOK_EVERY = 64
"""Files written between two looks at the size of the whole."""
STALE_S = 3600
"""A file that was begun and not renamed for so long is nobody's."""


def cache_folder() -> Path | None:
    """The folder ``loadput`` of the user's cache; None where $XDG_CACHE_HOME is no full path."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "loadput" if os.path.isabs(home) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the cache: where, how many bytes, and when it was last used, s since 1970."""

    path: Path
    bytes: int
    used_s: float


def entries(folder: Path) -> Iterator[Entry]:
    """Every file below ``folder``; none where it is not there."""
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                stat = os.stat(os.path.join(here, name))
                yield Entry(Path(here, name), stat.st_size, stat.st_mtime)


class Shelf:
    """One kind of what is kept.

    :param kind: the name of its folder
    :param folder: that of the cache; None: nothing is kept
    """

    def __init__(
        self, kind: str, folder: Path | None = None, *, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self.kind, self.limit_bytes = kind, limit_bytes
        root = folder or cache_folder()
        self.folder = root / kind if root is not None else None
        self.found = self.asked = 0
        self._written = 0
        self._told = False
        self._lock = threading.Lock()

    def count(self, *, found: bool) -> None:
        """Note that an answer was wanted, and whether it was there."""
        with self._lock:
            self.asked += 1
            self.found += found

    def get(self, key: str) -> bytes | None:
        """What is kept under ``key``, a digest; None where nothing usable is."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                mine = os.fstat(file.fileno()).st_uid == os.getuid()
                data = file.read()
        except OSError:
            return None
        body = _open(data, key) if mine else None
        if body is None:
            self._tell(path, "damaged" if mine else "another user's")
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        """Keep ``body`` under ``key``; where it cannot be written, nothing happens."""
        if self.folder is None:
            return
        path = self._path(key)
        part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(_seal(body, key))
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            return
        with self._lock:
            look = self._written % LOOK_EVERY == 0
            self._written += 1
        if look:
            self.trim()

    def damaged(self, key: str) -> None:
        """Say that what is kept under ``key`` cannot be read."""
        if self.folder is not None:
            self._tell(self._path(key), "damaged")

    def trim(self) -> None:
        """Take the least recently used away until a quarter of the limit is free again."""
        if self.folder is None:
            return
        found = sorted(entries(self.folder), key=lambda e: e.used_s)
        left = sum(e.bytes for e in found)
        newest = max((e.used_s for e in found), default=0.0)
        is_over = left > self.limit_bytes
        for e in found:
            stale = e.path.suffix == ".part" and e.used_s < newest - STALE_S
            if stale or (is_over and left > self.limit_bytes * 3 // 4):
                with contextlib.suppress(OSError):
                    e.path.unlink()
                left -= e.bytes

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / key[2:]

    def _tell(self, path: Path, what: str) -> None:
        with self._lock:
            told, self._told = self._told, True
        if not told:
            say(f"kept: {path} is {what}: not used")


def _seal(body: bytes, key: str) -> bytes:
    packed = zlib.compress(body, 1)
    return MAGIC + hashlib.sha256(key.encode() + packed).digest() + packed


def _open(data: bytes, key: str) -> bytes | None:
    """What `_seal` closed; None where it is not that, or was kept under another key."""
    head = len(MAGIC) + 32
    check, packed = data[len(MAGIC) : head], data[head:]
    if not data.startswith(MAGIC) or hashlib.sha256(key.encode() + packed).digest() != check:
        return None
    return zlib.decompress(packed)


def digest(*parts: str) -> str:
    """A name for ``parts``, in hexadecimal."""
    h = hashlib.sha256()
    for p in parts:
        data = p.encode("utf-8", "surrogateescape")
        h.update(len(data).to_bytes(8, "little") + data)
    return h.hexdigest()


def digest_folder(folder: Path, skip: Iterable[Path] = ()) -> str:
    """A name for every file below ``folder``: where it stands there, and what it holds."""
    h = hashlib.sha256()
    left_out = {os.fspath(p) for p in skip}
    for here, inner, names in os.walk(folder):
        inner[:] = sorted(d for d in inner if d != "__pycache__")
        inner[:] = [d for d in inner if os.path.join(here, d) not in left_out]
        for name in sorted(names):
            path = os.path.join(here, name)
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except OSError:
                continue
            told = f"{os.path.relpath(path, folder)}\0{len(data)}\0"
            h.update(told.encode("utf-8", "surrogateescape") + data)
    return h.hexdigest()


@cache
def checker_digest() -> str:
    """A name for the text of this package without its specification, and what it runs on."""
    text = digest_folder(PACKAGE, skip=[PACKAGE / "spec"])
    compiler = importlib.metadata.version("llvmlite")
    return digest(text, sys.version, sys.platform, platform.machine(), compiler)


@cache
def spec_digest() -> str:
    """A name for the text of the shipped specification."""
    return digest_folder(PACKAGE / "spec")
