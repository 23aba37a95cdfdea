"""Making a program on which two ways disagree smaller, and writing it as a folder of its own."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadput.base.errors import LoadputError
from loadput.link.layers import DEFAULT_RELEASE
from loadput.link.program import Choice
from loadput.link.scenario import Scenario, load_scenario

from .compare import PLAIN, Bounds, Row, compare
from .edits import Unfit
from .program import Case, digest, write


def decide(case: Case, bounds: Bounds, only: set[str] | None = None) -> Row:
    """Write the program of ``case`` and compare; where there is none, its error."""
    # What the engines leave behind where they disagree goes with the folder.
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        try:
            choice = write(case, Path(name))
            return compare(choice, case.made, bounds, *([only] if only else []))
        except (LoadputError, Unfit) as err:
            return Row(error=str(err).splitlines()[0])


def shrink(case: Case, row: Row, bounds: Bounds, tell: Callable[[str], None]) -> tuple[Case, Row]:
    """The smallest program that was found, on which the same ways disagree about something.

    What is tried, again and again until nothing helps: fewer edits, less under them, fewer threads
    and CPUs, less that they do, fewer constants.
    """
    culprits = set(row.disagree) - {"spin states"}
    single = culprits & {"fusing", "forgetting", "symmetry", "order"}
    only = single or culprits & {"default", "por"} or set(row.disagree)
    shape = _shape(row, only)
    again = True
    while again:
        again = False
        for smaller in _smaller(case):
            found = decide(smaller, bounds, only)
            if _shape(found, only) & shape:
                tell(f"  {len(smaller.edits)} edits, {found.states} states")
                case, again = smaller, True
                break
    return case, decide(case, bounds)


def _shape(row: Row, only: set[str]) -> set[tuple[str, str]]:
    """Which ways differ, and how: whichever the property, an error by its code."""
    out = set()
    for way, said in row.disagree.items():
        if way in only:
            out |= {
                (way, part.partition(": ")[2][:24] if ": " in part else part)
                for part in said.split("; ")
            }
    return out


def _smaller(case: Case) -> Iterator[Case]:
    for i in range(len(case.edits)):
        if len(case.edits) > 1 or case.below:
            yield replace(case, edits=(*case.edits[:i], *case.edits[i + 1 :]))
    if case.below:
        yield replace(case, below="")
    if case.release != DEFAULT_RELEASE:
        yield replace(case, release=DEFAULT_RELEASE)
    if case.design:
        yield replace(case, design="")
    for raw in _less(case.scenario):
        yield replace(case, scenario=raw)
    for i, e in enumerate(case.edits):
        lines = e.text.split("\n")
        if e.kind == "plant" and len(lines) > 1:
            for k in range(len(lines)):
                shorter = replace(e, text="\n".join([*lines[:k], *lines[k + 1 :]]))
                yield replace(case, edits=(*case.edits[:i], shorter, *case.edits[i + 1 :]))
        if e.kind == "early" and e.text.startswith("if"):
            plain = replace(e, text=lines[-1].strip())
            yield replace(case, edits=(*case.edits[:i], plain, *case.edits[i + 1 :]))


def _less(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    tasks = raw["task"]
    for i in range(len(tasks)):
        if len(tasks) > 1:
            yield {**raw, "task": [*tasks[:i], *tasks[i + 1 :]]}
    used = max((t.get("vcpu", 0) for t in tasks), default=0) + 1
    if used < len(raw["vms"]):
        yield {**raw, "vms": raw["vms"][:used]}
    if raw["cpus"] > 1:
        kept = [{k: v for k, v in t.items() if k != "cpus"} for t in tasks]
        fixed = dict(raw.get("set", {}))
        if "device_irq_cpus" in fixed:
            fixed["device_irq_cpus"] &= 1
        yield {**raw, "cpus": raw["cpus"] - 1, "task": kept, "set": fixed}
    for i, t in enumerate(tasks):
        for d in t.get("does", ["run", "ioctl", "fs", "halt", "spin", "irq", "steal"]):
            every = t.get("does", ["run", "ioctl", "fs", "halt", "spin", "irq", "steal"])
            fewer = {**t, "does": [x for x in every if x != d]}
            yield {**raw, "task": [*tasks[:i], fewer, *tasks[i + 1 :]]}
    for name in raw.get("set", {}):
        yield {**raw, "set": {k: v for k, v in raw["set"].items() if k != name}}


def toml(raw: dict[str, Any]) -> str:
    """A scenario as TOML."""

    def value(v: Any) -> str:
        return json.dumps(v)

    out = [f"{k} = {value(v)}" for k, v in raw.items() if k not in ("task", "set")]
    for t in raw["task"]:
        out += ["", "[[task]]", *(f"{k} = {value(v)}" for k, v in t.items())]
    if raw.get("set"):
        out += ["", "[set]", *(f"{k} = {value(v)}" for k, v in raw["set"].items())]
    return "\n".join(out) + "\n"


def name_of(case: Case, row: Row) -> str:
    """A short name: what disagrees, where, in which function."""
    way = next((w for w in ("forgetting", "symmetry", "order", "fusing") if w in row.disagree), "")
    way = way or next(iter(row.disagree), "found")
    fn = case.edits[-1].fn if case.edits else case.below
    return f"{way.replace(' ', '-')}-{case.arch}-{fn}-{digest(case.to_json())[:4]}"


def write_folder(case: Case, row: Row, at: Path) -> str:
    """Write the overlay, its scenario and what is right below ``at``; the folder's name.

    ``case.toml`` says what to link and which properties the ways disagreed about, with the verdict
    of the unfused program; README has the command and every way's answer.
    """
    name = name_of(case, row)
    folder = at / name
    folder.mkdir(parents=True, exist_ok=True)
    choice = write(case, folder, name.replace("-", "_"))
    shutil.rmtree(folder / "asked", ignore_errors=True)
    (folder / "s.toml").write_text(toml(case.scenario), "utf-8")
    plain = row.answers[PLAIN].violated if PLAIN in row.answers else []
    about = sorted({p for said in row.disagree.values() for p in NAMED.findall(said)})
    facts = {
        "arch": case.arch,
        "design": case.design,
        "release": case.release,
        "twin": choice.twin,
        "violated": [p for p in about if p in plain],
        "holds": [p for p in about if p not in plain],
    }
    rows = [f"{k} = {json.dumps(v)}" for k, v in facts.items() if v]
    (folder / "case.toml").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "README").write_text(_told(case, row, choice, name), "utf-8")
    return name


NAMED = re.compile(r"(?:^|; )([A-Z0-9-]+): (?:violated|holds) unfused")


def _told(case: Case, row: Row, choice: Choice, name: str) -> str:
    words = f"--arch {case.arch}"
    options = (
        ("--overlays", name if choice.search else ""),
        ("--twin", choice.twin),
        ("--design", case.design),
        ("--release", case.release if case.release != Choice().release else ""),
    )
    words += "".join(f" {o} {v}" for o, v in options if v)
    lines = [f"loadput check {words} --scenario {name}/s.toml"]
    lines += [f"  {way}: {said}" for way, said in row.disagree.items()]
    if PLAIN in row.answers:
        a = row.answers[PLAIN]
        lines.append(f"  right: {', '.join(a.violated) or 'holds'} ({a.states} states unfused)")
    lines += [
        f"  edit: {e.kind} in {e.fn}, statement {e.at}" + (f": {e.text!r}" if e.text else "")
        for e in case.edits
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Found:
    """A folder that `write_folder` wrote."""

    choice: Choice
    scenario: Scenario
    violated: list[str]
    holds: list[str]


def load_folder(folder: Path) -> Found:
    """What is in it."""
    facts = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    own = {k: facts[k] for k in ("arch", "design", "release", "twin") if k in facts}
    return Found(
        Choice(**own, search=(folder,)),
        load_scenario(str(folder / "s.toml")),
        facts.get("violated", []),
        facts.get("holds", []),
    )
