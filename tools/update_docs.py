"""The commands in the pages: run them, and compare or rewrite what they print.

A page is README.md or a .md file below docs. In it, a block marked ``console`` whose first line
starts with ``$ loadput`` or ``$ python`` holds commands and their output. A block whose first line
is ``# file: PATH`` or ``/* file: PATH */`` is written to PATH. Both happen in the page's order, in
an empty folder that has the repository's ``examples``.

``python tools/update_docs.py [PAGE…]`` rewrites the output of every command with the present one;
``tests/docs/test_docs.py`` compares.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"(?:# file: |/\* file: )(\S+)(?: \*/)?\n")
RUN = ("$ loadput", "$ python")


@dataclass(frozen=True)
class Block:
    """A fenced block: its place in the text, its language, what it holds."""

    start: int
    end: int
    language: str
    text: str
    line: int


def pages() -> list[Path]:
    """Every page, in a fixed order."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def iter_blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for m in FENCE.finditer(text):
        yield Block(m.start(2), m.end(2), m[1], m[2], text.count("\n", 0, m.start(2)) + 1)


def split_commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output below it."""
    out: list[list[str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            out.append([line, ""])
        elif out and out[-1][0].endswith("\\\n"):
            out[-1][0] += line
        elif out:
            out[-1][1] += line
    return [(a, b) for a, b in out]


KEPT = re.compile(r"^kept: .*\n", re.M)


def run_command(command: str, folder: Path, *, fresh: bool) -> str:
    """What ``command`` (with its ``$ ``) prints; raises where it ends with an internal error.

    :param fresh: it is worked out for this; else what another command has found may be taken
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {k: v for k, v in os.environ.items() if not k.startswith("LOADPUT_")}
    env |= {"LOADPUT_NO_CACHE": "1"} if fresh else {}
    done = subprocess.run(
        ["bash", "-c", command.removeprefix("$ ")],
        cwd=folder,
        env={**env, "PATH": path, "COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode not in (0, 1, 2, 4) or "error[LP0999]" in done.stdout:
        raise RuntimeError(f"{command.strip()} ended with {done.returncode}:\n{done.stdout}")
    return KEPT.sub("", done.stdout)


def iter_runs(
    text: str, folder: Path, *, fresh: bool = True
) -> Iterator[tuple[Block, list[tuple[str, str, str]]]]:
    """Do what the page says; per console block its (command, shown, printed)."""
    (folder / "examples").symlink_to(ROOT / "examples")
    for block in iter_blocks(text):
        name = FILE.match(block.text)
        if name:
            file = folder / name[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "console" and block.text.startswith(RUN):
            rows = split_commands(block.text)
            yield block, [(c, shown, run_command(c, folder, fresh=fresh)) for c, shown in rows]


def update(page: Path) -> bool:
    """Rewrite the output in ``page``; return whether it changed."""
    text = page.read_text(encoding="utf-8")
    out, at = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for block, rows in iter_runs(text, Path(folder)):
            out += [text[at : block.start], *(c + printed for c, _, printed in rows)]
            at = block.end
    new = "".join([*out, text[at:]])
    page.write_text(new, encoding="utf-8")
    return new != text


def main() -> None:
    """Rewrite the pages named on the command line, or all."""
    for page in [Path(p).resolve() for p in sys.argv[1:]] or pages():
        print(f"{page.relative_to(ROOT)}: {'changed' if update(page) else 'as it was'}", flush=True)


if __name__ == "__main__":
    main()
