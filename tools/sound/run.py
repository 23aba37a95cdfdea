"""Many programs on several processes, each kept when it is decided."""

from __future__ import annotations

import gc
import hashlib
import json
import multiprocessing
import signal
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from loadput.base.errors import LoadputError
from loadput.check.museum import entries
from loadput.link.layers import DEFAULT_RELEASE
from loadput.link.overlay import SPEC, find_overlays, known_archs
from loadput.link.program import link
from loadput.link.scenario import FOLDER, list_scenarios

from . import draw
from .compare import Answer, Bounds, Row
from .program import Case, digest
from .shrink import decide

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "soundness"
DECIDES = ("base", "ir", "lang", "link", "machine", "run", "export", "spec")
"""The rooms of src/loadput that a verdict rests on."""
TASKS_PER_PROCESS = 20
"""Machine code is memory that a process does not give back."""
ALONE = 4
"""Of drawn programs one in this many is also decided with each switch alone."""
LATE_S = 600


class Late(BaseException):
    """A program took too long; no ``except Exception`` keeps it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One program to decide: drawn by number, or a shipped one."""

    name: str
    seed: int = 0
    number: int = 0
    case: Case | None = None


@dataclass(slots=True)
class Done:
    """What became of it."""

    name: str
    case: Case
    row: Row


@cache
def source() -> str:
    """A digest of all that a verdict rests on, and of the tool."""
    h = hashlib.sha256()
    rooms = [ROOT / "src" / "loadput" / r for r in DECIDES]
    for folder in (*rooms, Path(__file__).parent):
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".toml"):
                h.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return h.hexdigest()


class Kept:
    """Results of former runs, one a line."""

    def __init__(self, name: str) -> None:
        self.file = KEPT / f"{name}.jsonl"
        self.rows: dict[str, Done] = {}
        for line in self.file.read_text("utf-8").splitlines() if self.file.is_file() else ():
            raw = json.loads(line)
            row = raw["row"]
            row["answers"] = {w: Answer(**a) for w, a in row["answers"].items()}
            self.rows[raw["key"]] = Done(raw["name"], Case.from_json(raw["case"]), Row(**row))

    def add(self, key: str, d: Done) -> None:
        """Keep one more."""
        self.rows[key] = d
        self.file.parent.mkdir(parents=True, exist_ok=True)
        raw = {"key": key, "name": d.name, "case": d.case.to_json(), "row": asdict(d.row)}
        with self.file.open("a", encoding="utf-8") as f:
            f.write(json.dumps(raw) + "\n")


def _late(*_: object) -> None:
    raise Late


def do(job: Job, bounds: Bounds) -> Done:
    """Decide one; a program that takes too long is one that is not compared."""
    was = signal.signal(signal.SIGALRM, _late)
    case = job.case or Case("", {})
    signal.alarm(LATE_S)
    try:
        case = job.case or draw.draw(job.seed, job.number)
        if job.case is None and job.number % ALONE:
            bounds = replace(bounds, single=0)
        row = decide(case, bounds)
    except Late:
        row = Row(error=f"more than {LATE_S} s")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, was)
    return Done(job.name, case, row)


def _do(both: tuple[str, Job, Bounds]) -> tuple[str, Done]:
    key, job, bounds = both
    gc.collect()
    return key, do(job, bounds)


Tell = Callable[[int, int, Done], None]


def run(jobs: list[Job], bounds: Bounds, kept: Kept, processes: int, tell: Tell) -> list[Done]:
    """Decide every job that is not kept; all of them, in their order."""
    keys = [digest(source(), asdict(j), asdict(bounds)) for j in jobs]
    todo = [(k, j, bounds) for k, j in zip(keys, jobs, strict=True) if k not in kept.rows]
    for n, (key, done) in enumerate(_results(todo, processes), 1):
        kept.add(key, done)
        tell(n, len(todo), done)
    return [kept.rows[k] for k in keys]


def _results(todo: list[tuple[str, Job, Bounds]], processes: int) -> Iterator[tuple[str, Done]]:
    if processes == 1 or len(todo) < 2:
        yield from map(_do, todo)
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, maxtasksperchild=TASKS_PER_PROCESS) as pool:
        yield from pool.imap_unordered(_do, todo)


def drawn(
    seed: int, programs: int, bounds: Bounds, kept: Kept, processes: int, tell: Tell
) -> list[Done]:
    """The first ``programs`` drawn ones that are programs at all, and those that are none."""
    out: list[Done] = []
    for arch in known_archs():  # what drawing reads, once and not in each process
        draw.settings(arch), draw.broken(arch)
    while (missing := programs - sum(not d.row.error for d in out)) > 0:
        begin = len(out)
        numbers = range(begin, begin + missing + missing // 4 + 1)
        jobs = [Job(f"{seed}:{i}", seed, i) for i in numbers]
        out += run(jobs, bounds, kept, processes, tell)
    count = 0
    for at, d in enumerate(out):
        count += not d.row.error
        if count == programs:
            return out[: at + 1]
    return out


def shipped() -> list[Job]:
    """Every scenario on every architecture that has what it sets, every twin and museum entry."""
    out = []
    for name in list_scenarios():
        for arch in known_archs():
            case = Case(arch, raw(name))
            try:
                link(case.base, case.made, asked=False)
            except LoadputError:
                continue
            out.append(Job(f"{name} {arch}", case=case))
    for twin, v in sorted(find_overlays("twin").items()):
        design = v.parent if v.parent in draw.designs() else ""
        for arch in v.arch.split(",") if v.arch else known_archs():
            case = Case(
                arch, raw(v.scenario or "one"), (), design, v.release or DEFAULT_RELEASE, twin
            )
            out.append(Job(f"{twin} {arch}", case=case))
    for e in entries().values():
        design = find_overlays("museum")[e.id].parent
        rows = [(e.id, e.scenario), *((s.overlay, s.scenario) for s in e.intermediate)]
        for overlay, scenario in rows:
            case = Case(e.arch, raw(scenario), (), design, e.release, overlay)
            out.append(Job(f"{overlay} {e.arch}", case=case))
    return out


@cache
def _raw(name: str) -> str:
    file = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    return file.read_text("utf-8")


def raw(name: str) -> dict[str, object]:
    """A shipped scenario, or that of a museum entry's file, without what is said of it."""
    assert FOLDER.is_relative_to(SPEC)
    return {k: v for k, v in tomllib.loads(_raw(name)).items() if k not in ("title", "expect")}
