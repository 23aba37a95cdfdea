"""Text that holds several recordings: `trace-cmd report -i A -i B` begins each line with a file's
name, and the report of a file with instances with the instance's, right-aligned to one column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadput.base.errors import TraceError

# Lines that decide: every line of such a text has the prefix, or as many blanks.
DECIDING_LINES = 4096


@dataclass(slots=True)
class Prefixes:
    """What stands before each line.

    :param column: where its ": " stands; -1: the lines have no prefix, -2: at no fixed column
    :param is_instances: names are buffers of one system, whose first one has no name
    :param counts: events of each name
    """

    column: int = -1
    is_instances: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def split(self, line: str) -> tuple[str, str]:
        """(name, the line without it); the name is "" where there is none."""
        if self.column == -1:
            return "", line
        if self.column == -2:
            name, _, rest = line.partition(": ")
            return name.strip(), rest
        if line[self.column : self.column + 2] == ": ":
            return line[: self.column].strip(), line[self.column + 2 :]
        return "", line

    def choose(self, wanted: str, file: str) -> None:
        """Check ``wanted`` against the names that were met.

        :raises TraceError: LP0608, several systems and none chosen, or no such one
        """
        names = {} if self.is_instances else {n: c for n, c in self.counts.items() if n}
        if wanted in names or (not wanted and len(names) < 2):
            return
        shown = ", ".join(f"{n} ({c:,} events)" for n, c in names.items()) or "one, without a name"
        if wanted:
            what = f"no recording {wanted!r} in this text"
        else:
            what = f"the text holds {len(names)} recordings, of a system each"
        raise TraceError(
            "LP0608", what, where=file, available=shown,
            expected="the recording of one system: pids and CPUs of two mean different things",
            next=f"--file {min(names, key=lambda n: -names[n])}" if names else "leave --file out",
        )  # fmt: skip


def find_prefixes(lines: Iterable[str], event: re.Pattern[str]) -> Prefixes:
    """Decide whether the lines that match ``event`` (a group ``comm``) begin with names.

    A task's own name may hold ": " as well (``sshd: root``): a prefix stands on every line, at one
    column, or is a file's name on every line.
    """
    common: set[int] | None = None
    bare: list[int] = []
    firsts: list[str] = []
    for line in lines:
        match = event.match(line)
        if match is None:
            continue
        start, end = match.span("comm")
        found = {m.start() for m in re.finditer(": ", line[:end])}
        if found:
            common = found if common is None else common & found
            firsts.append(line[:end].partition(": ")[0].strip())
        else:
            bare.append(start)
    if common is None:
        return Prefixes()
    columns = [c for c in sorted(common) if all(start >= c + 2 for start in bare)]
    names = set(firsts)
    is_files = not bare and all(re.search(r"\.dat\b|/", n) for n in names)
    if columns and (len(names) > 1 or bare or is_files):
        if bare and not _are_instances(firsts, bare):
            return Prefixes()
        return Prefixes(columns[0], bool(bare))
    return Prefixes(-2) if is_files else Prefixes()


def _are_instances(names: list[str], bare: list[int]) -> bool:
    # Names of tasks vary from line to line; those of instances are few, and no line is shorter.
    return len(set(names)) <= 16 and len(names) >= 4 * len(set(names)) and bool(bare)
