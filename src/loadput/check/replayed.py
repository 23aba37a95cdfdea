"""A counterexample by itself: from a file that ``check --json`` wrote, or of a known finding."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..link.overlay import SPEC
from ..link.program import Choice, link
from ..link.scenario import Scenario, load_scenario, make_scenario
from ..machine.model import Machine, build_machine
from ..run.exploration import Limits
from ..run.interp import Action
from .verdict import check

FINDINGS = SPEC / "findings.toml"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One, with what its program and machine are made of.

    :param title: the program as a report names it
    :param fusing: as the machine of ``path`` was built
    """

    title: str
    choice: Choice
    scenario: Scenario
    fusing: bool
    property: str
    path: list[Action]

    def build(self) -> Machine:
        """The machine that ``path`` is a path of."""
        return build_machine(link(self.choice, self.scenario), fusing=self.fusing)


@dataclass(frozen=True, slots=True)
class FindingSpec:
    """A page of docs/findings: the program and the scenario that show it."""

    name: str
    arch: str
    release: str
    property: str
    scenario: Scenario


def load_counterexample(file: str | Path, name: str = "") -> Counterexample:
    """The counterexample in ``file`` of property ``name``, of the first that has one by default.

    :raises InputError: LP0507, no file of ``check --json``, or none of that name in it
    """
    import msgspec

    try:
        raw = msgspec.json.decode(Path(file).read_bytes())
        for p in raw["programs"]:
            for q in p["properties"]:
                if q.get("path") and name in ("", q["name"]) and not p["program"]["user_functions"]:
                    return _made(p, q)
    except (msgspec.DecodeError, KeyError, TypeError, IndexError) as e:
        raise InputError(
            "LP0507",
            f"{file} is no result of check",
            got=str(e)[:100],
            expected="a file that loadput check --json wrote",
        ) from None
    raise InputError(
        "LP0507",
        f"{file} holds no counterexample" + (f" of {name}" if name else ""),
        expected="a violated property of a program without C of your own",
        next="loadput check … --json FILE",
    )


def _made(p: dict[str, Any], q: dict[str, Any]) -> Counterexample:
    s, c = p["scenario"], p["program"]
    tasks = [{k: v for k, v in t.items() if v is not None} for t in s["tasks"]]
    fixed = {k: s[k] for k in ("title", "cpus", "vms", "set")}
    scenario = make_scenario(s["name"], {**fixed, "task": tasks})
    choice = Choice(
        c["arch"],
        c["design"],
        c["release"],
        c["twin"],
        reduce=c["forgetting"],
        search=tuple(Path(f) for f in c["overlays"]),
        memory=c.get("memory", "sc"),
    )
    path = [Action(a[0], a[1], a[2], a[3], tuple(a[4])) for a in q["path"]]
    return Counterexample(c["title"], choice, scenario, c["fusing"], q["name"], path)


@cache
def find_findings() -> dict[str, FindingSpec]:
    """The findings that a program and a scenario show, by the name of their page."""
    out = {}
    for name, raw in tomllib.loads(FINDINGS.read_text("utf-8")).items():
        where = raw["scenario"]
        known = isinstance(where, str)
        scenario = load_scenario(where) if known else make_scenario(f"{name}.toml", where)
        out[name] = FindingSpec(name, raw["arch"], raw["release"], raw["property"], scenario)
    return out


def explore_finding(name: str) -> Counterexample:
    """The shortest counterexample of a finding, searched for until it is found.

    :raises InputError: LP0540, no such finding, or the memory ends before it is found
    """
    known = find_findings()
    if name not in known:
        raise InputError(
            "LP0540", f"{name} is no file, and no finding", available=", ".join(known),
            expected="a file that loadput check --json wrote, or the name of a finding",
        )  # fmt: skip
    f = known[name]
    choice = Choice(f.arch, release=f.release)
    for first in (True, False):  # what is violated first may be another one
        limits = Limits(stop_at_first=first)
        result = check(choice, f.scenario, properties=(f.property,), limits=limits)
        found = result.find(f.property)
        if found.path:
            break
    else:
        raise InputError(
            "LP0540", f"{name}: {f.property} is {found.verdict} among {result.states:,} states",
            expected="a violation", next=f"docs/findings/{name}.md has the command",
        )  # fmt: skip
    return Counterexample(
        result.program, result.choice, f.scenario, result.fusing, f.property, list(found.path)
    )
