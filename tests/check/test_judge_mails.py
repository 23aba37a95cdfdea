"""One change, in the shapes that mails come in: the same verdict from each."""

from __future__ import annotations

import base64
import json
import quopri
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
EARLY = """static void kvm_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct kvm_vcpu *vcpu = preempt_notifier_to_vcpu(pn);

	WRITE_ONCE(vcpu->preempted, false);
	WRITE_ONCE(vcpu->ready, false);

	__this_cpu_write(kvm_running_vcpu, vcpu);
	WRITE_ONCE(vcpu->scheduled_out, false);
	kvm_arch_vcpu_load(vcpu, cpu);
}
"""
LAST = EARLY.splitlines(keepends=True)
RIGHT = "".join([*LAST[:-3], LAST[-2], LAST[-3], LAST[-1]])
HEAD = "From: a@b.example\nSubject: [PATCH] KVM: earlier\n"
TALK = "\n> static void kvm_sched_in(struct preempt_notifier *pn, int cpu)\n> {\n> }\n\nOr so:\n\n"
PLAIN = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
CODED = "Content-Transfer-Encoding: "
PARTS = 'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="B"\n\n'


def multipart(body: str) -> str:
    page = f"--B\nContent-Type: text/html\n\n<html><pre>{body}</pre></html>\n--B--\n"
    return f"{HEAD}{PARTS}--B\nContent-Type: text/plain\n\n{body}\n{page}"


SHAPES: dict[str, Callable[[str], str]] = {
    "bare": lambda b: b,
    "mail": lambda b: HEAD + "\n" + b,
    "quoted printable": lambda b: (
        HEAD + PLAIN + CODED + "quoted-printable\n\n" + quopri.encodestring(b.encode()).decode()
    ),
    "base64": lambda b: (
        HEAD + PLAIN + CODED + "base64\n\n" + base64.encodebytes(b.encode()).decode()
    ),
    "two parts": multipart,
    "CRLF": lambda b: (HEAD + "\n" + b).replace("\n", "\r\n"),
    "spaces for tabs": lambda b: HEAD + "\n" + b.replace("\t", "        "),
    "signed": lambda b: HEAD + "\n" + b + "\n-- \nA B, who signs {with} braces;\n",
}


def judged(loadput: Run, path: Path, text: str) -> tuple[int, dict[str, Any]]:
    with open(path, "w", newline="") as f:
        f.write(text)
    done = loadput("check", path.name, "--arch", "svm", "--scenario", "one", "--json", "-")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_verdict(loadput: Run, tmp_path: Path, shape: str) -> None:
    name = "a.c" if shape == "bare" else "a.eml"
    talk = "" if shape == "bare" else TALK
    code, out = judged(loadput, tmp_path / name, SHAPES[shape](talk + EARLY))
    (p,) = out["programs"]
    assert p["program"]["user_functions"] == ["kvm_sched_in"]
    assert out["base"]["release"] == "v7.3"
    new = {x["name"]: x["depth"] for x in p["properties"] if x["blame"] == "new with this change"}
    assert (code, new) == (1, {"PLE-ONCE": 12, "SOUT-AT-LOAD": 12})


def test_of_two_versions_the_last_is_used_and_it_is_said(loadput: Run, tmp_path: Path) -> None:
    (tmp_path / "two.eml").write_text(f"{HEAD}\n{EARLY}\nor alternatively:\n\n{RIGHT}")
    done = loadput("check", "two.eml", "--arch", "svm", "--scenario", "one")
    assert done.returncode == 0
    assert "kvm_sched_in is there twice; the one at two.eml:18 is used" in done.stdout
    assert "kvm_sched_in: the same as the base's" in done.stdout


PUT = """void vcpu_put(struct kvm_vcpu *vcpu)
{
	%s
	kvm_arch_vcpu_put(vcpu);
	preempt_notifier_unregister(&vcpu->preempt_notifier);
	__this_cpu_write(kvm_running_vcpu, NULL);
}
"""


def test_a_guard_is_the_two_calls_that_it_stands_for(loadput: Run, tmp_path: Path) -> None:
    code, out = judged(loadput, tmp_path / "guard.c", PUT % "guard(preempt)();")
    (p,) = out["programs"]
    assert (code, p["verdict"]) == (0, "holds")
    assert [e["verdict"] for e in p["equivalence"]] == ["equal IR"]


def test_what_is_not_understood_is_left_out_and_said(loadput: Run, tmp_path: Path) -> None:
    code, out = judged(loadput, tmp_path / "a.c", PUT % 'asm volatile("nop");')
    (p,) = out["programs"]
    assert code == 4 and p["judged"]["verdict"] == "not decided"
    (note,) = [n for n in p["notes"] if n["kind"] == "opaque statement"]
    assert "inline assembly" in note["what"] and note["place"].startswith("a.c:3")


def test_goto_container_of_and_tracepoints_are_read(loadput: Run, tmp_path: Path) -> None:
    text = """static void kvm_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct kvm_vcpu *vcpu = container_of(pn, struct kvm_vcpu, preempt_notifier);

	lockdep_assert_irqs_disabled();
	WRITE_ONCE(vcpu->scheduled_out, true);
	if (!task_is_runnable(current))
		goto put;
	if (likely(vcpu->wants_to_run)) {
		WRITE_ONCE(vcpu->preempted, true);
		WRITE_ONCE(vcpu->ready, true);
	}
put:
	trace_kvm_sched_out(vcpu);
	kvm_arch_vcpu_put(vcpu);
	__this_cpu_write(kvm_running_vcpu, NULL);
}
"""
    code, out = judged(loadput, tmp_path / "goto.c", text)
    (p,) = out["programs"]
    assert (code, p["verdict"]) == (0, "holds")
    assert [e["verdict"] for e in p["equivalence"]] == ["equivalent"]
