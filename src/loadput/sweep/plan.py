"""What a sweep does: a plan in TOML, and the jobs that it comes to."""

from __future__ import annotations

import hashlib
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..base.kept import checker_digest, digest, spec_digest
from ..check.mirrors import watched_paths
from ..lang.inputs import Patch, read_inputs, read_range
from ..link.overlay import expand_archs
from ..link.program import Choice
from ..link.scenario import Scenario, load_scenario

AXES = ("arch", "release", "design", "twin", "scenario", "memory")
VERBS = ("check", "trace", "conform")
LISTS = (*AXES, "patches", "recordings", "overlays")
KEYS = {"verb", *LISTS, "repo", "range", "bounds"}
BOUNDS = {"max_states", "max_memory", "max_time"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a job ends: states, MiB of its search, s of all that it does; None: no such bound."""

    max_states: int | None = None
    max_memory: int | None = None
    max_time: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One cell: everything that is needed to decide it, and its name.

    :param name: (axis, value) in the table's order
    :param key: the digest of all that its outcome depends on, the checker's text included
    :param overlays: the files of the plan's folders: (folder's number, path, content)
    :param recording: a file to read where the job runs, or its content
    """

    verb: str
    name: tuple[tuple[str, str], ...]
    key: str
    bounds: Bounds = Bounds()
    choice: Choice = field(default_factory=Choice)
    scenario: Scenario | None = None
    overlays: tuple[tuple[int, str, bytes], ...] = ()
    patches: tuple[Patch, ...] = ()
    recording: str | bytes = ""


def _bad(file: str, what: str, expected: str) -> InputError:
    return InputError(
        "LP0545", f"plan {file}: {what}", where=file, expected=expected,
        next="docs/sweep.md has each key with an example",
    )  # fmt: skip


def read_plan(file: str) -> list[Job]:
    """The jobs of a plan, in its order.

    :raises InputError: LP0545, what is wrong in the plan; and what reading its inputs raises
    """
    try:
        raw = tomllib.loads(Path(file).read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise _bad(file, str(e), "a file in TOML") from None
    if unknown := sorted(set(raw) - KEYS):
        raise _bad(file, f"unknown: {', '.join(unknown)}", ", ".join(sorted(KEYS)))
    for k in LISTS:
        value = raw.get(k, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise _bad(file, f"{k} = {value!r}", "a list of names")
    verb = raw.get("verb", "check")
    if verb not in VERBS:
        raise _bad(file, f"verb = {verb!r}", ", ".join(VERBS))
    if (verb == "check") == bool(raw.get("recordings")):
        raise _bad(file, f"verb = {verb!r}", "recordings for trace and conform, and for them only")
    if bool(raw.get("repo")) != bool(raw.get("range")) or (raw.get("repo") and raw.get("patches")):
        raise _bad(file, "repo, range and patches", "a repo and a range of it, or patches")
    bounds = _bounds(file, raw.get("bounds", {}))
    jobs = list(_recorded(file, raw, verb, bounds) if verb != "check" else _checks(raw, bounds))
    if not jobs:
        raise _bad(file, "no jobs", "something in each list")
    return jobs


def _bounds(file: str, raw: Any) -> Bounds:
    good = isinstance(raw, dict) and set(raw) <= BOUNDS
    if not good or not all(isinstance(v, int | float) and v > 0 for v in raw.values()):
        raise _bad(file, f"bounds = {raw!r}", f"numbers: {', '.join(sorted(BOUNDS))}")
    return Bounds(**raw)


def _checks(raw: dict[str, Any], bounds: Bounds) -> Iterator[Job]:
    folders = tuple(Path(p) for p in raw.get("overlays", ()))
    files = tuple(_files_of(folders))
    carried = digest(*(f"{n}\0{p}\0{hashlib.sha256(d).hexdigest()}" for n, p, d in files))
    archs = [a for named in raw.get("arch", ["svm"]) for a in expand_archs(named, *folders)]
    defaults = {"release": [Choice().release], "design": [""], "twin": [""], "memory": ["sc"]}
    rest = [raw.get(k, defaults.get(k, ["one"])) for k in AXES[1:]]
    scenarios = {s: load_scenario(s) for s in raw.get("scenario", ["one"])}
    inputs = list(_inputs(raw, archs)) or [("", "", ())]
    for (title, identity, patches), values in itertools.product(
        inputs, itertools.product(archs, *rest)
    ):
        at = dict(zip(AXES, values, strict=True))
        choice = Choice(
            at["arch"], at["design"], at["release"], at["twin"], search=folders, memory=at["memory"]
        )
        scenario = scenarios[at["scenario"]]
        name = tuple(at.items()) + ((("patch", title),) if title else ())
        told = (repr(name), repr(scenario), repr(bounds), carried, identity)
        key = digest("check", checker_digest(), spec_digest(), *told)
        yield Job("check", name, key, bounds, choice, scenario, files, patches)


def _files_of(folders: tuple[Path, ...]) -> Iterator[tuple[int, str, bytes]]:
    for n, folder in enumerate(folders):
        for f in sorted(folder.rglob("*")):
            if f.is_file() and "__pycache__" not in f.parts:
                yield n, str(f.relative_to(folder)), f.read_bytes()


def _inputs(raw: dict[str, Any], archs: list[str]) -> Iterator[tuple[str, str, tuple[Patch, ...]]]:
    """(title, what it is by content, patches) of each file, or of each commit."""
    for file in raw.get("patches", ()):
        whole = b"".join(f.read_bytes() for f in sorted(Path(file).rglob("*")) if f.is_file())
        data = whole if Path(file).is_dir() else Path(file).read_bytes()
        yield file, hashlib.sha256(data).hexdigest(), tuple(read_inputs([file]))
    if raw.get("repo"):
        for commit in read_range(raw["repo"], raw["range"], watched_paths(archs)):
            title = f"{commit.sha[:12]} {commit.subject}"
            yield title, commit.sha, tuple(commit.read())


def _recorded(file: str, raw: dict[str, Any], verb: str, bounds: Bounds) -> Iterator[Job]:
    for pattern in raw["recordings"]:
        found = sorted(Path().glob(pattern)) if "*" in pattern else [Path(pattern)]
        for path in found:
            try:
                data = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as e:
                raise _bad(file, f"recording {path}: {e.strerror}", "files to read") from None
            name = (("recording", str(path)),)
            key = digest(verb, checker_digest(), spec_digest(), repr(name), data, repr(bounds))
            yield Job(verb, name, key, bounds, recording=str(path))
