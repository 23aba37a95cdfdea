"""Coverage-guided fuzzing of the trace readers and the accounting.

    python tools/fuzz_trace.py [--seconds 60] [--seed 1] [--keep DIR]

Starts from the fixtures, mutates them, and keeps every input that reaches a line of
``loadput.trace`` that none reached before. A finding is any exception but TraceError, a warning, or
an input that takes longer than ten seconds; it is written to DIR and the exit code is 1.
"""

from __future__ import annotations

import argparse
import lzma
import random
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

from loadput.base.errors import TraceError
from loadput.trace import read_trace
from loadput.trace.account import account_trace

ROOT = Path(__file__).resolve().parent.parent
INSIDE = str(ROOT / "src" / "loadput" / "trace")
SLOW_SECONDS = 10.0
VALUES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\0" * 4, b"\xff" * 4, b"\xff" * 8)


class Coverage:
    """Lines of the trace room that were executed."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.fresh = 0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(INSIDE):
            return None
        if event == "line":
            key = (frame.f_code.co_filename, frame.f_lineno)
            if key not in self.seen:
                self.seen.add(key)
                self.fresh += 1
        return self


def mutate(data: bytes, pool: list[bytes], rng: random.Random) -> bytes:
    """One to four changes: cut, overwrite, insert, delete, copy from another input."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(out), rng.choice((200, 5000, len(out)))) or 1) if out else 0
        kind = rng.randrange(7)
        if kind == 0:
            del out[at:]
        elif kind == 1:
            value = rng.choice(VALUES)
            out[at : at + len(value)] = value
        elif kind == 2 and out:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            out[at:at] = rng.randbytes(rng.randint(1, 16))
        elif kind == 4:
            del out[at : at + rng.randint(1, 64)]
        elif kind == 5:
            other = rng.choice(pool)
            start = rng.randrange(len(other) or 1)
            piece = other[start : start + rng.randint(1, 256)]
            out[at : at + len(piece)] = piece
        else:
            out[at : at + 8] = rng.randrange(1 << 64).to_bytes(8, "little")
    return bytes(out)


def run(data: bytes, path: Path) -> None:
    """Read everything and account for it; TraceErrors are answers."""
    path.write_bytes(data)
    try:
        trace = read_trace(path)
        for name in trace.events():
            try:
                trace.columns(name)
            except TraceError:
                continue
        account_trace(trace)
    except TraceError as why:
        why.render()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default="fuzz-findings")
    args = parser.parse_args()
    warnings.simplefilter("error")
    rng, coverage = random.Random(args.seed), Coverage()
    fixtures = sorted((ROOT / "tests" / "trace" / "fixtures").iterdir())
    pool = [p.read_bytes() for p in fixtures if not p.name.endswith(".xz")]
    pool += [lzma.decompress(p.read_bytes())[:20_000] for p in fixtures if p.name.endswith(".xz")]
    tries = findings = 0
    end = time.monotonic() + args.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        while time.monotonic() < end:
            data = pool[tries] if tries < len(fixtures) else mutate(rng.choice(pool), pool, rng)
            tries += 1
            coverage.fresh, began = 0, time.monotonic()
            sys.settrace(coverage)
            try:
                run(data, path)
                failed = time.monotonic() - began > SLOW_SECONDS
            except Exception:
                sys.settrace(None)
                traceback.print_exc()
                failed = True
            finally:
                sys.settrace(None)
            if failed:
                findings += 1
                Path(args.keep).mkdir(exist_ok=True)
                (Path(args.keep) / f"{args.seed}-{tries}.bin").write_bytes(data)
            elif coverage.fresh and tries >= len(fixtures):
                pool.append(data)
    print(f"{tries} inputs, {len(coverage.seen)} lines, {len(pool)} kept, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
