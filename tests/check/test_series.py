"""A series: each of its patches is judged somewhere, or the exit code says that one is not."""

from __future__ import annotations

import pytest

import loadput as lp
from loadput.check.basis import Base
from loadput.check.carried import FunctionChange
from loadput.check.judge import MINDS_NOT, NOT_JUDGED, SAME, Explored, Judgement
from loadput.check.judging import Judging, Part
from loadput.check.verdict import check
from loadput.link.program import Choice
from loadput.link.scenario import load_scenario
from loadput.report.judged import render_judging
from loadput.run.exploration import Limits

LEFT = "svm", NOT_JUDGED, [FunctionChange("park", "a.c:1", why="nothing calls it here")]


def judgement(
    arch: str, verdict: str, changes: list[FunctionChange], *, waits: bool = False
) -> Judgement:
    return Judgement("", arch, verdict, changes, waits=waits)


def series(*rows: Judgement) -> Judging:
    """A patch a row, on svm."""
    return Judging([], Base("v7.3", ""), None, [Part("svm", list(rows))])


@pytest.mark.parametrize("other", [SAME, MINDS_NOT])
@pytest.mark.parametrize("first", [True, False])
def test_a_patch_that_is_not_judged_is_not_hidden_by_one_that_is(other: str, first: bool) -> None:
    rows = [judgement(*LEFT), judgement("svm", other, [])]
    done = series(*rows if first else reversed(rows))
    assert done.exit_code == 4
    assert "not all of it is judged: nothing calls it here: park()" in " ".join(
        render_judging(done, "").split()
    )


def test_what_a_patch_brings_is_judged_where_a_later_one_calls_it() -> None:
    brings, calls = judgement(*LEFT, waits=True), judgement("svm", SAME, [])
    assert series(brings, calls).exit_code == 0
    assert series(judgement(*LEFT), calls).exit_code == 4


def test_a_patch_is_judged_where_one_architecture_judges_it() -> None:
    done = series(judgement(*LEFT))
    done.parts.append(Part("vmx", [judgement("vmx", SAME, [])]))
    assert done.exit_code == 0


MINE = "static void park_one(struct kvm_vcpu *vcpu)\n{\n\tvcpu->ready = false;\n}\n"
USES = "void vcpu_put(struct kvm_vcpu *vcpu)\n{\n\tpark_one(vcpu);\n}\n"
ELSE = "void vcpu_put(struct kvm_vcpu *vcpu)\n{\n\tvcpu->ready = false;\n}\n"


def mailed(*bodies: str) -> str:
    """A series whose patches each bring a file."""
    out = ""
    for i, body in enumerate(bodies, 1):
        lines = body.splitlines()
        out += "From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
        out += f"Subject: [PATCH {i}/{len(bodies)}] {i}\n\n--- /dev/null\n+++ b/virt/kvm/{i}.c\n"
        out += f"@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{x}\n" for x in lines) + "-- \n2\n\n"
    return out


@pytest.mark.parametrize(
    ("bodies", "waits"), [((MINE,), False), ((MINE, ELSE), False), ((MINE, USES), True)]
)
def test_what_nothing_calls_waits_for_a_later_patch_that_does(
    bodies: tuple[str, ...], waits: bool
) -> None:
    judging = lp.judge(mailed(*bodies), arch="svm", scenario="one").judging
    assert judging.judged[0].waits == waits
    assert waits or judging.exit_code in (1, 4)


def test_the_first_sentence_says_what_a_search_with_late_stores_did_not_come_to() -> None:
    choice = Choice("svm", memory="tso")
    r = check(choice, load_scenario("default"), limits=Limits(max_states=1_000))
    j = Judgement("", "svm", MINDS_NOT, [], [Explored(r, late=True, finds=True)])
    said = " ".join(render_judging(series(j), "").split())
    first = "no property minds; not decided under tso: the search of scenario default ended after"
    assert first in said
