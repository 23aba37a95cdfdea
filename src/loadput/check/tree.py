"""The functions of a kernel tree beside ours, one at a time: a second opinion."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ..base.errors import LoadputError
from ..lang.inputs import read_tree
from ..lang.syntax import Def
from ..link.program import Choice, Program, link
from ..link.scenario import Scenario
from ..machine.model import build_machine
from .equiv import MAX_INPUTS, Comparison, Equivalence
from .taken import tree_paths

# Rooms of the specification that are a model of the machine itself: their C is not laid over them.
MODELLED = ("kernel/", "include/linux/sched", "include/linux/rcuwait", "include/linux/entry")


def tree_functions(tree: Path, p: Program) -> tuple[dict[str, Def], dict[str, str]]:
    """The program's functions as the tree has them, and why the others stay ours.

    Functions that model the scheduler and the hardware themselves stay ours.
    """
    paths = tree_paths(p)
    own = {n: ps for n, ps in paths.items() if not any(q.startswith(MODELLED) for q in ps)}
    got = read_tree(tree, own.keys(), own, origin=f"tree:{tree.name}", structs=set(p.decls.structs))
    reasons = dict(got.reasons)
    for n in paths.keys() - own.keys():
        reasons[n] = "models the scheduler or the entry code: stays the specification's"
    return got.defs, reasons


def compare_with_tree(
    tree: Path, choice: Choice, scenario: Scenario, names: Collection[str] = ()
) -> tuple[list[Equivalence], dict[str, Def], dict[str, str]]:
    """Each function of the tree against ours, one at a time: equal, equivalent, or what differs.

    :param names: only these; all that the tree has by default
    :return: the answers, the functions by name, and why others were not compared
    """
    program = link(choice, scenario)
    ours = build_machine(program)
    defs, reasons = tree_functions(tree, program)
    out = []
    for name in sorted(defs):
        if names and name not in names:
            continue
        user = replace(choice, user=(defs[name],), user_label="tree")
        try:
            theirs = build_machine(link(user, scenario))
        except LoadputError as e:
            reasons[name] = f"{e.span or ''} {e.what}".strip()
            continue
        out.append(Comparison(ours, theirs, MAX_INPUTS).compare(name))
    return out, defs, reasons
