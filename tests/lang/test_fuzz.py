"""Whatever is read, only our errors come out."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadput.base.errors import LoadputError
from loadput.lang.inputs import read_input
from loadput.lang.lower import lower

from .build import program
from .test_inputs import HEADER, HERE, HUNK, OLD, REMOVE, series

SEEDS = [(HERE / "mail.txt").read_text(), HUNK, HEADER + REMOVE, series(), OLD]
BITS = ["{", "}", "(", ")", "/*", "*/", '"', "'", "\n", "> ", "-- \n", "@@ -1,2 +3 @@\n", "+", "-",
        "#if 1\n", "#endif\n", "static void f(int a)\n{\n", "};\n", "case 1:", "*", "&", "->", ",",
        "kvm_for_each_vcpu(i, v, k)", "for_each_x(a) ", "\0", "é", "=?utf-8?q?x?=", "a ? b : c",
        "sizeof(x)", "goto out;", "out:", "struct s", "int x[3] = { 1 };", "do ", "while (x)",
        "From a b 2024\n", "Subject: [PATCH 1/2] x\n", "container_of(a, struct s, b)"]  # fmt: skip
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read_all(path: Path, tree: Path | None = None) -> None:
    """Read, parse and lower; our own errors are fine."""
    with contextlib.suppress(LoadputError):
        for p in read_input(path, tree):
            for f in p.functions:
                with contextlib.suppress(LoadputError):
                    (d,) = [d for d in p.parse() if d.name == f.name][:1]
                    lower(d, program(), infer=True)


@QUICK
@given(data=st.binary(max_size=400))
def test_read_input_any_bytes(data: bytes, tmp_path: Path) -> None:
    at = tmp_path / "in.txt"
    at.write_bytes(data)
    read_all(at)


@QUICK
@given(data=st.data())
def test_read_input_mutated_mail_or_diff(data: st.DataObject, tmp_path: Path) -> None:
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        end = at + data.draw(st.sampled_from((0, 0, 1, 5, 60)))
        text = text[:at] + data.draw(st.sampled_from(["", *BITS])) + text[end:]
    name = data.draw(st.sampled_from(("in.txt", "in.c", "in.mbox")))
    (tmp_path / name).write_text(text)
    (tmp_path / "virt/kvm").mkdir(parents=True, exist_ok=True)
    (tmp_path / "virt/kvm/park.c").write_text(OLD)
    read_all(tmp_path / name, data.draw(st.sampled_from((None, tmp_path))))


@QUICK
@given(
    pieces=st.lists(st.sampled_from([*BITS, "x", " = ", "1", ";", "vcpu", "f(", ")", "return "]))
)
def test_lower_any_c_body(pieces: list[str], tmp_path: Path) -> None:
    at = tmp_path / "in.c"
    at.write_text("int f(struct kvm_vcpu *vcpu, int x)\n{\n\t" + "".join(pieces) + ";\n}\n")
    read_all(at)
