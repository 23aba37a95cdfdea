"""Results as JSON; the schema is docs/json.md. Same input, same bytes, but for ``seconds``."""

from __future__ import annotations

from typing import Any

from ..check.carried import FunctionChange, count
from ..check.equiv import Equivalence
from ..check.judge import Judgement
from ..check.judging import Judging
from ..check.races import Access
from ..check.scope import not_modelled
from ..check.story import StoryStep
from ..check.verdict import PropertyResult, Result
from ..lang.inputs import Patch

SCHEMA = 1


def story(steps: list[StoryStep]) -> list[dict[str, Any]]:
    """A counterexample as a list of steps."""
    return [
        {
            "cpu": s.cpu,
            "context": s.context,
            "function": s.function,
            "functions": list(s.functions),
            "source": s.source,
            "choices": list(s.choices),
            "changes": [
                {"name": c.name, "before": c.before, "after": c.after, "ghost": c.ghost}
                for c in s.changes
            ],
            "violates": list(s.violates),
            "findings": [
                {
                    "property": f.property,
                    "read": [{"name": name, "value": value} for name, value in f.read],
                }
                for f in s.findings
            ],
        }
        for s in steps
    ]


def property_result(p: PropertyResult) -> dict[str, Any]:
    """One property's verdict."""
    out: dict[str, Any] = {"name": p.name, "verdict": p.verdict, "depth": p.depth, "blame": p.blame}
    out["counterexample"] = story(p.counterexample) if p.counterexample else None
    if p.path:
        out["path"] = [[a.cpu, a.task, a.kind, a.start, list(a.choices)] for a in p.path]
    if p.why:
        out["why"] = p.why
    return out


def program_result(r: Result) -> dict[str, Any]:
    """One program's result."""
    return {
        "program": {
            "title": r.program,
            "arch": r.choice.arch,
            "design": r.choice.design,
            "release": r.choice.release,
            "twin": r.choice.twin,
            "fusing": r.fusing,
            "forgetting": r.choice.reduce,
            "memory": r.choice.memory,
            "overlays": [str(p) for p in r.choice.search],
            "layers": r.layers,
            "user_functions": [d.name for d in r.choice.user],
        },
        "scenario": {
            "name": r.scenario.name,
            "title": r.scenario.title,
            "cpus": r.scenario.cpus,
            "tasks": [
                {"runs": t.runs, "vcpu": t.vcpu, "cpus": list(t.cpus), "does": list(t.does)}
                for t in r.scenario.tasks
            ],
            "vms": list(r.scenario.vms),
            "set": {name: int(value) for name, value in r.scenario.constants},
        },
        "verdict": r.verdict,
        "expected": expected(r),
        "stopped_by": r.stopped_by,
        "states": r.states,
        "transitions": r.transitions,
        "depth": r.depth,
        "properties": [property_result(p) for p in r.properties],
        "races": [
            {"variable": x.variable, "a": access(x.a), "b": access(x.b), "blame": x.blame}
            for x in r.races
        ],
        "absent": dict(r.absent),
        "opaque_calls": dict(sorted(r.opaque_calls.items())),
        "inferred_fields": r.inferred_fields,
        "exploration": exploration(r),
        "seconds": round(r.seconds, 3),
    }


def expected(r: Result) -> dict[str, Any] | None:
    """What the scenario's file expects, and whether it came to that."""
    e = r.expected
    if e is None:
        return None
    told = {"verdict": e.verdict, "violates": list(e.violates), "why": e.why}
    return {**told, "as_expected": r.is_expected}


def exploration(r: Result) -> dict[str, Any]:
    """What the exploration met: how deep, how often, and what never."""
    from .stats import never_taken

    ex = r.exploration
    return {
        "depths": list(ex.levels),
        "fired": dict(sorted(ex.fired.items())),
        "never": never_taken(r),
    }


def access(a: Access) -> dict[str, str]:
    """One side of a race."""
    return {"function": a.function, "what": a.what, "mark": a.mark, "source": a.source}


def equivalence(e: Equivalence) -> dict[str, Any]:
    """One function compared with ours."""
    return {
        "function": e.function,
        "verdict": e.verdict,
        "runs": e.runs,
        "differ": e.differ,
        "where": list(e.where),
    }


def patch_input(p: Patch) -> dict[str, Any]:
    """One thing that the user gave."""
    return {
        "title": p.title,
        "kind": p.kind,
        "functions": [{"name": f.name, "place": f.place, "path": f.path} for f in p.functions],
        "removed": [{"name": f.name, "path": f.path} for f in p.removed],
        "fields": [
            {"struct": f.struct, "name": f.name, "type": f.ctype, "place": f.place}
            for f in p.fields
        ],
        "not_modelled": not_modelled(p.functions),
        "notes": list(p.notes),
    }


def judgement(j: Judgement) -> dict[str, Any]:
    """One patch on one architecture; what was explored is that of the worst scenario."""
    worst = j.worst
    notes = worst.result.built.program.notes if worst else []
    words = ("functions", "of_functions", "edits", "of_edits")
    before = worst.before if worst else None
    return {
        **(program_result(worst.result) if worst else {"program": {"arch": j.arch}}),
        "patch": j.patch,
        "judged": {"verdict": j.verdict, **dict(zip(words, count(j.changes), strict=True))},
        "functions": [function_change(f) for f in j.changes],
        "explored": [
            {
                "scenario": x.result.scenario.name,
                "memory": x.result.choice.memory,
                "verdict": x.verdict,
                "states": x.result.states,
                "rests_on": x.rests_on,
                "idle": x.idle,
            }
            for x in j.explored
        ],
        "fixed": j.fixed,
        "equivalence": [equivalence(e) for e in j.equivalences],
        "unused": j.unused,
        "added": j.added,
        "removed": j.removed,
        "assumed": j.assumed,
        "notes": [
            *({"kind": "input", "what": n, "function": "", "place": ""} for n in j.notes),
            *(
                {"kind": n.kind, "what": n.what, "function": n.function, "place": str(n.span)}
                for n in notes
            ),
        ],
        "base": program_result(before) if before else None,
    }


def function_change(f: FunctionChange) -> dict[str, Any]:
    """One function that a patch changes, and its edits."""
    return {
        "name": f.name,
        "place": f.place,
        "path": f.path,
        "whole": f.whole,
        "through": f.through,
        "why": f.why,
        "edits": [
            {"kind": o.edit.kind, "verdict": o.verdict, "why": o.why, "place": o.edit.place}
            for o in f.outcomes
        ],
        "specification": [
            {"function": c.spec.name, "diff": c.diff()} for c in f.carried if c.changes
        ],
    }


def judging(done: Judging) -> dict[str, Any]:
    """Everything that was given, on every architecture."""
    base = done.base
    return {
        "schema": SCHEMA,
        "verdict": done.verdict,
        "base": {
            "release": base.release,
            "why": base.why,
            "distances": dict(base.distances),
            "fields": list(base.fields),
        },
        "inputs": [patch_input(p) for p in done.patches],
        "programs": [judgement(j) for j in done.judged],
        "failed": [
            {"arch": a, "patch": t, "code": e.code, "error": e.render()} for a, t, e in done.failed
        ],
        "unchanged": [{"arch": a, "patch": t.patch.title} for a, t in done.idle],
    }


def encode(value: Any) -> bytes:
    """``value`` as indented JSON with a final newline; keys stay in their order."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
