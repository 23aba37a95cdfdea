"""A scenario: how many CPUs, which threads, what the environment may do."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import ScenarioError
from ..ir.types import Sizes
from .overlay import SPEC

FOLDER = SPEC / "scenario"
# run: KVM_RUN. ioctl: another vCPU ioctl. fs: writes its own user registers. halt: the guest
# halts. spin: the guest spins. irq: devices interrupt its vCPU. steal: the guest uses steal time.
# ldt: gives its mm another LDT (x86).
DOES = ("run", "ioctl", "fs", "halt", "spin", "irq", "steal", "ldt")
# Only where the scenario says so.
OPT_IN = ("ldt",)
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
class Scenario:
    """What is fixed before a run; ``constants`` override the program's.

    :param vms: for each vCPU, its VM
    """

    name: str
    cpus: int
    tasks: tuple[TaskSpec, ...]
    vms: tuple[int, ...]
    constants: tuple[tuple[str, int], ...] = ()
    title: str = field(default="", compare=False)

    @property
    def sizes(self) -> Sizes:
        """Instances of each domain; the idle tasks come after the others."""
        return Sizes(self.cpus, len(self.tasks) + self.cpus, len(self.vms), max(self.vms) + 1)


def _bad(name: str, what: str, expected: str) -> ScenarioError:
    return ScenarioError(
        "LP0501", f"scenario {name}: {what}", expected=expected, next="see docs/scenarios.md"
    )


def make_scenario(name: str, raw: dict[str, Any]) -> Scenario:
    """The scenario that ``raw`` (as from TOML) describes; raises ScenarioError LP0501."""
    known = {"title", "cpus", "vms", "task", "set"}
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; nearest: {near[0]}" if near else ""
            raise _bad(name, f"unknown key '{key}'", ", ".join(sorted(known)) + hint)
    cpus, vms = raw.get("cpus", 0), raw.get("vms", [])
    if not isinstance(cpus, int) or isinstance(cpus, bool) or not 1 <= cpus <= MAX["cpus"]:
        raise _bad(name, f"cpus = {cpus!r}", f"a number from 1 to {MAX['cpus']}")
    if not isinstance(vms, list) or not all(isinstance(v, int) and 0 <= v < 4 for v in vms):
        raise _bad(name, f"vms = {vms!r}", "for each vCPU the number of its VM, such as [0, 0]")
    if not 1 <= len(vms) <= MAX["vcpus"]:
        raise _bad(name, f"{len(vms)} vCPUs", f"1 to {MAX['vcpus']}")
    tasks = raw.get("task", [])
    if not isinstance(tasks, list) or not 1 <= len(tasks) <= MAX["tasks"]:
        raise _bad(name, f"{len(tasks)} tasks", f"1 to {MAX['tasks']} [[task]] tables")
    made = tuple(_task(name, i, t, cpus, len(vms)) for i, t in enumerate(tasks))
    fixed = raw.get("set", {})
    if not isinstance(fixed, dict) or not all(isinstance(v, int) for v in fixed.values()):
        raise _bad(name, f"set = {fixed!r}", "a table of numbers and booleans")
    consts = tuple(sorted((k, int(v)) for k, v in fixed.items()))
    return Scenario(name, cpus, made, tuple(vms), consts, str(raw.get("title", "")))


def _task(name: str, i: int, t: Any, cpus: int, vcpus: int) -> TaskSpec:
    if not isinstance(t, dict) or not set(t) <= {"runs", "vcpu", "cpus", "does"} or "runs" not in t:
        raise _bad(name, f"task {i}: {t!r}", 'runs = "vcpu_thread", vcpu = 0, cpus = [0, 1]')
    vcpu, allowed = t.get("vcpu"), t.get("cpus", list(range(cpus)))
    if vcpu is not None and (not isinstance(vcpu, int) or not 0 <= vcpu < vcpus):
        raise _bad(name, f"task {i}: vcpu = {vcpu!r}", f"a vCPU from 0 to {vcpus - 1}")
    if not isinstance(allowed, list) or not allowed or not set(allowed) <= set(range(cpus)):
        raise _bad(name, f"task {i}: cpus = {allowed!r}", f"some of the CPUs 0 to {cpus - 1}")
    does = t.get("does", [d for d in DOES if d not in OPT_IN])
    if not isinstance(does, list) or not set(does) <= set(DOES):
        raise _bad(name, f"task {i}: does = {does!r}", f"some of {', '.join(DOES)}")
    return TaskSpec(
        str(t["runs"]), vcpu, tuple(sorted(set(allowed))), tuple(d for d in DOES if d in does)
    )


def list_scenarios() -> list[str]:
    """The names of the shipped scenarios."""
    return sorted(p.stem for p in FOLDER.glob("*.toml"))


def load_scenario(name: str) -> Scenario:
    """The scenario of that name, or in that file; raises ScenarioError LP0501 or LP0502."""
    path = FOLDER / f"{name}.toml"
    if not path.exists():
        path = Path(name)
        if not path.is_file():
            near = difflib.get_close_matches(name, list_scenarios(), 1)
            raise ScenarioError(
                "LP0502",
                f"no scenario '{name}'" + (f"; nearest: {near[0]}" if near else ""),
                available=", ".join(list_scenarios()),
                next="name one of these, or give a TOML file",
            )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise _bad(name, f"not TOML: {e}", "a TOML file") from None
    return make_scenario(path.stem if path.parent == FOLDER else name, raw)
