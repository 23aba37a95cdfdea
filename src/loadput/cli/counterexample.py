"""A counterexample that ``loadput check --json FILE`` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..link.program import Choice
    from ..link.scenario import Scenario
    from ..run.interp import Action


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


def load_counterexample(file: str, name: str = "") -> Counterexample:
    """The counterexample in ``file`` of property ``name``, of the first that has one by default.

    :raises InputError: LP0507, it holds none that can be followed again
    """
    import msgspec

    from ..base.errors import InputError

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
    from ..link.program import Choice
    from ..link.scenario import make_scenario
    from ..run.interp import Action

    s, c = p["scenario"], p["program"]
    raw = {
        "title": s["title"],
        "cpus": s["cpus"],
        "vms": s["vms"],
        "set": s["set"],
        "task": [{k: v for k, v in t.items() if v is not None} for t in s["tasks"]],
    }
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
    return Counterexample(
        c["title"], choice, make_scenario(s["name"], raw), c["fusing"], q["name"], path
    )
