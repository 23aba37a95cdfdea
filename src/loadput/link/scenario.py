"""A scenario: how many CPUs, which threads, what the environment may do."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import ScenarioError
from ..base.source import Span
from ..base.text import find_key, load_toml
from ..ir.types import Sizes
from ..lang.pydecl import MOST, nearest
from .overlay import SPEC, _shown, find_overlays

FOLDER = SPEC / "scenario"
# run: KVM_RUN. ioctl: another vCPU ioctl. fs: writes its own user registers. halt: the guest
# halts. spin: the guest spins. irq: devices interrupt its vCPU. steal: the guest uses steal time.
# ldt: gives its mm another LDT (x86).
DOES = ("run", "ioctl", "fs", "halt", "spin", "irq", "steal", "ldt")
# Only where the scenario says so.
OPT_IN = ("ldt",)
HOLDS = "holds"
MAX = {"cpus": 4, "tasks": 6, "vcpus": 4}


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A thread: the actor it runs, the vCPU it owns (or None), the CPUs it may use.

    :param does: what it and its guest do, of ``DOES``; where the scenario is silent, all of it but
        ``OPT_IN``
    """

    runs: str
    vcpu: int | None = None
    cpus: tuple[int, ...] = ()
    does: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a check of the shipped specification comes to on one architecture.

    :param verdict: ``holds``, ``violated`` or ``not decided``
    :param violates: the properties, by name
    :param states: where it is not decided, the states among which nothing is violated
    """

    verdict: str
    violates: tuple[str, ...] = ()
    states: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is fixed before a run; ``constants`` override the program's.

    :param vms: for each vCPU, its VM
    :param expect: per architecture that it is written for, what a check comes to
    :param file: where it stands, and its ``text``, for messages
    """

    name: str
    cpus: int
    tasks: tuple[TaskSpec, ...]
    vms: tuple[int, ...]
    constants: tuple[tuple[str, int], ...] = ()
    title: str = field(default="", compare=False)
    file: str = field(default="", compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)
    expect: tuple[tuple[str, Expected], ...] = field(default=(), compare=False, repr=False)

    def expected_on(self, arch: str) -> Expected | None:
        """What is expected on ``arch``, None where the file is silent."""
        return dict(self.expect).get(arch)

    def find(self, key: str, *, table: str = "", nth: int = 0) -> Span | None:
        """Where its file gives ``key``, in the ``nth`` table of that name; None without a file."""
        return find_key(self.text, key, self.file, table=table, nth=nth) if self.file else None

    @property
    def sizes(self) -> Sizes:
        """Instances of each domain; the idle tasks come after the others."""
        return Sizes(self.cpus, len(self.tasks) + self.cpus, len(self.vms), max(self.vms) + 1)

    def cpus_of(self, task: int) -> frozenset[int]:
        """The CPUs on which a task may be: those of its thread, or its own of an idle task."""
        users = len(self.tasks)
        return frozenset(self.tasks[task].cpus if task < users else (task - users,))


class _Reader:
    """Reads one scenario; what is wrong is ScenarioError LP0501, where it stands if it is a file.

    :param text: of the TOML file, to find places in
    """

    def __init__(self, name: str, text: str = "", shown: str = "") -> None:
        self.name, self.text, self.shown = name, text, shown

    def bad(
        self, what: str, expected: str, key: str = "", *, table: str = "", nth: int = 0
    ) -> ScenarioError:
        span = find_key(self.text, key, self.shown, table=table, nth=nth) if key else None
        span = span or (find_key(self.text, table, self.shown) if table else None)
        line = self.text.split("\n")[span.line - 1] if span else None
        return ScenarioError(
            "LP0501",
            f"scenario {self.name}: {what}",
            span=span,
            line_text=line,
            where=None if span else self.shown or f"scenario {self.name}",
            expected=expected,
            next="docs/scenarios.md has each key with an example",
        )

    def keys(self, raw: dict[str, Any], known: Sequence[str], what: str, **at: Any) -> None:
        for key in raw:
            if key not in known:
                raise self.bad(
                    f"{what}unknown key '{key}'", ", ".join(known) + nearest(key, known), key, **at
                )

    def read(self, raw: dict[str, Any]) -> Scenario:
        self.keys(raw, ("title", "cpus", "vms", "task", "set", "expect"), "")
        title = raw.get("title", "")
        if not isinstance(title, str) or "\n" in title:
            raise self.bad(f"title = {title!r:.60}", "a line of text", "title")
        cpus = raw.get("cpus", 0)
        if not is_number(cpus, 1, MAX["cpus"]):
            raise self.bad(f"cpus = {cpus!r:.60}", f"a number from 1 to {MAX['cpus']}", "cpus")
        vms = raw.get("vms", [])
        if not isinstance(vms, list) or not all(is_number(v, 0, 3) for v in vms):
            expected = "for each vCPU the number of its VM, 0 to 3, such as [0, 0]"
            raise self.bad(f"vms = {vms!r:.60}", expected, "vms")
        if not 1 <= len(vms) <= MAX["vcpus"]:
            raise self.bad(f"{len(vms)} vCPUs", f"1 to {MAX['vcpus']}", "vms")
        tasks = raw.get("task", [])
        if not isinstance(tasks, list) or not 1 <= len(tasks) <= MAX["tasks"]:
            count = f"{len(tasks)} tasks" if isinstance(tasks, list) else f"task = {tasks!r:.60}"
            raise self.bad(count, f"1 to {MAX['tasks']} [[task]] tables", "task")
        made = tuple(self.task(i, t, cpus, len(vms)) for i, t in enumerate(tasks))
        consts, expect = self.constants(raw), self.expect(raw.get("expect", {}))
        return Scenario(
            self.name, cpus, made, tuple(vms), consts, title, self.shown, self.text, expect
        )

    def expect(self, raw: Any) -> tuple[tuple[str, Expected], ...]:
        archs = [n for n, v in find_overlays("arch").items() if not v.abstract]
        if not isinstance(raw, dict):
            raise self.bad(f"expect = {raw!r:.60}", "a table: a key per architecture", "expect")
        self.keys(raw, archs, "expect: ", table="expect")
        return tuple((arch, self.expected(arch, raw[arch])) for arch in archs if arch in raw)

    def expected(self, arch: str, one: Any) -> Expected:
        if one == HOLDS:
            return Expected(HOLDS)
        form = '"holds", {violates = ["A-PROPERTY"], why = "…"} or {states = 1000000, why = "…"}'
        why = one.get("why") if isinstance(one, dict) else None
        if isinstance(why, str) and len(why) > 9:
            why = " ".join(why.split())
            if set(one) == {"violates", "why"} and _are_names(one["violates"]):
                return Expected("violated", tuple(sorted(one["violates"])), why=why)
            if set(one) == {"states", "why"} and is_number(one["states"], 1, 10**9):
                return Expected("not decided", states=one["states"], why=why)
        raise self.bad(f"expect: {arch} = {one!r:.60}", f"{form}; why: a sentence", arch)

    def constants(self, raw: dict[str, Any]) -> tuple[tuple[str, int | bool], ...]:
        fixed = raw.get("set", {})
        if not isinstance(fixed, dict):
            raise self.bad(f"set = {fixed!r:.60}", "a table of numbers and booleans", "set")
        for key, value in fixed.items():
            if not isinstance(value, int) or abs(value) > MOST:
                what = f"set = {{ {key} = {value!r:.40} }}"
                raise self.bad(what, "a small number, true or false", key, table="set")
        return tuple(sorted(fixed.items()))

    def task(self, i: int, t: Any, cpus: int, vcpus: int) -> TaskSpec:
        at: dict[str, Any] = {"table": "task", "nth": i}
        if not isinstance(t, dict):
            expected = 'runs = "vcpu_thread", vcpu = 0, cpus = [0, 1]'
            raise self.bad(f"task {i}: {t!r:.60}", expected, "task")
        self.keys(t, ("runs", "vcpu", "cpus", "does"), f"task {i}: ", **at)
        runs, vcpu = t.get("runs"), t.get("vcpu")
        if not isinstance(runs, str):
            what = f"runs = {runs!r:.60}" if "runs" in t else "runs nothing"
            expected = 'runs = "vcpu_thread", or another actor'
            raise self.bad(f"task {i}: {what}", expected, "runs" if "runs" in t else "vcpu", **at)
        if "vcpu" in t and not is_number(vcpu, 0, vcpus - 1):
            expected = f"a vCPU from 0 to {vcpus - 1}"
            raise self.bad(f"task {i}: vcpu = {vcpu!r:.60}", expected, "vcpu", **at)
        allowed = t.get("cpus", list(range(cpus)))
        is_list = isinstance(allowed, list) and all(is_number(c, 0, cpus - 1) for c in allowed)
        if not is_list or not allowed or len(set(allowed)) < len(allowed):
            expected = f"some of the CPUs 0 to {cpus - 1}, each once"
            raise self.bad(f"task {i}: cpus = {allowed!r:.60}", expected, "cpus", **at)
        does = t.get("does", [d for d in DOES if d not in OPT_IN])
        if not isinstance(does, list) or not all(isinstance(d, str) and d in DOES for d in does):
            words = [d for d in does if isinstance(d, str)] if isinstance(does, list) else []
            near = "".join(nearest(d, DOES) for d in words if d not in DOES)
            expected = f"some of {', '.join(DOES)}{near}"
            raise self.bad(f"task {i}: does = {does!r:.60}", expected, "does", **at)
        return TaskSpec(runs, vcpu, tuple(sorted(allowed)), tuple(d for d in DOES if d in does))


def _are_names(x: Any) -> bool:
    return isinstance(x, list) and bool(x) and all(isinstance(n, str) for n in x)


def is_number(value: Any, lo: int, hi: int) -> bool:
    """Whether ``value`` is a whole number, no boolean, from ``lo`` to ``hi``."""
    return isinstance(value, int) and not isinstance(value, bool) and lo <= value <= hi


def make_scenario(name: str, raw: dict[str, Any]) -> Scenario:
    """The scenario that ``raw`` (as from TOML) describes; raises ScenarioError LP0501."""
    return _Reader(name).read(raw)


def list_scenarios() -> list[str]:
    """The names of the shipped scenarios."""
    return sorted(p.stem for p in FOLDER.glob("*.toml"))


def load_scenario(name: str) -> Scenario:
    """The scenario of that name, or in that file; raises ScenarioError LP0501 or LP0502."""
    path = FOLDER / f"{name}.toml"
    if not os.path.exists(path):
        path = Path(name)
        if not os.path.isfile(path):
            near = difflib.get_close_matches(name, list_scenarios(), 1)
            raise ScenarioError(
                "LP0502",
                f"no scenario '{name}'" + (f"; nearest: {near[0]}" if near else ""),
                available=", ".join(list_scenarios()),
                next="name one of these, or give a TOML file",
            )
    shown = _shown(path)
    said = path.stem if path.parent == FOLDER else name
    raw, text = load_toml(path, shown, kind=ScenarioError, code="LP0501", what=f"scenario {said}")
    return _Reader(said, text, shown).read(raw)
