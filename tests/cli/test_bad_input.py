"""Bad input: exit code 2, one message with a next step, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
TRUNCATED = (
    "--- a/virt/kvm/kvm_main.c\n+++ b/virt/kvm/kvm_main.c\n"
    "@@ -100,20 +100,20 @@ void vcpu_put(struct kvm_vcpu *vcpu)\n"
    " \tpreempt_disable();\n-\tkvm_arch_vcpu_put(vcpu);\n"
)
NO_CPUS = 'cpus = 0\nvms = [0]\n\n[[task]]\nruns = "vcpu_thread"\nvcpu = 0\ncpus = [0]\n'
FILES = [
    ("empty.txt", b"", "LP0230", "is empty"),
    ("talk.txt", b"From: a@b\nSubject: hello\n\nno code here\n", "LP0230", "no C function"),
    ("quoted.txt", b"From: a@b\nSubject: re\n\n> void f(void)\n> {\n> }\n", "LP0230", "no C"),
    ("nul.c", bytes(10_000_000), "LP0231", "nothing but NUL bytes"),
    ("noise.c", bytes(range(256)) * 400, "LP0231", "binary"),
    ("cut.diff", TRUNCATED.encode(), "LP0232", "truncated diff"),
    ("half.c", b"void vcpu_put(struct kvm_vcpu *v)\n{\n\tpreempt_disable();\n", "LP02", ""),
]
WORDS = [
    (["check", "--arch", "vax"], "LP0401"),
    (["check", "--design", "Z"], "LP0401"),
    (["check", "--release", "v5"], "LP0401"),
    (["check", "--twin", "z"], "LP0401"),
    (["check", "--scenario", "nine"], "LP0502"),
    (["check", "--scenario", "one", "--property", "FOO"], "LP0505"),
    (["check", "--scenario", "one", "--base", "v9"], "LP0401"),
    (["check", "."], "LP0230"),
    (["check", "nothere.c"], "LP0230"),
    (["check", "--tree", "nowhere"], "LP0235"),
    (["compare", "--design", "Q"], "LP0401"),
    (["explain", "NOPE"], "LP0505"),
    (["conform", "nothere.dat"], "LP0600"),
    (["trace", "nothere.dat"], "LP0600"),
]


def told(done: CompletedProcess[str], code: str) -> None:
    """One message with ``code``, exit code 2."""
    out = done.stdout + done.stderr
    assert done.returncode == 2, out
    assert out.count("error[LP") == 1, out
    assert f"error[{code}" in out
    assert "Traceback" not in out
    assert "next:" in out or "expected:" in out or "available:" in out


@pytest.mark.parametrize(("name", "data", "code", "what"), FILES, ids=[f[0] for f in FILES])
def test_files(loadput: Run, tmp_path: Path, name: str, data: bytes, code: str, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    done = loadput("check", name, "--scenario", "one", "--arch", "svm")
    told(done, code)
    assert what in done.stdout + done.stderr
    assert name in done.stdout + done.stderr


@pytest.mark.parametrize(("words", "code"), WORDS, ids=[" ".join(w) for w, _ in WORDS])
def test_words(loadput: Run, words: list[str], code: str) -> None:
    told(loadput(*words), code)


def test_a_scenario_without_cpus(loadput: Run, tmp_path: Path) -> None:
    (tmp_path / "zero.toml").write_text(NO_CPUS)
    done = loadput("check", "--scenario", "zero.toml")
    told(done, "LP0501")
    assert "cpus = 0" in done.stderr
