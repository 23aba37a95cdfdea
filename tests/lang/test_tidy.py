"""Control flow in another form is the same; what does something else is not."""

from __future__ import annotations

import pytest

from loadput.lang.carry import render_body
from loadput.lang.carry.tidy import tidy
from loadput.lang.cfront.unit import parse_c


def form(body: str) -> list[str]:
    (d,) = parse_c(f"void f(int a, int b)\n{{\n{body}\n}}\n", "f.c", "test")
    return list(render_body(tidy(d).body))


SAME = [
    ("if (a) { g(); return; } h();", "if (a) g(); else h();"),
    ("if (!a) return; g(); h();", "if (a) { g(); h(); }"),
    ("if (!a || !b) return; g();", "if (a && b) g();"),
    ("if (a) { if (b) g(); }", "if (a && b) g();"),
    ("if (!a) g(); else h();", "if (a) h(); else g();"),
    ("if (a != 1) g(); else h();", "if (a == 1) h(); else g();"),
    ("if (a) g(); else { h(); return; } k();", "if (!a) { h(); return; } g(); k();"),
    ("while (a) { if (b) continue; g(); }", "while (a) { if (b) continue; else g(); }"),
    ("if (a) return; if (b) return; g();", "if (!a && !b) g();"),
]
OTHER = [
    ("if (a) g(); h();", "if (a) g(); else h();"),
    ("if (!a || b) return; g();", "if (a && b) g();"),
    ("if (a) { if (b) g(); else h(); }", "if (a && b) g(); else h();"),
    ("if (a) { g(); return; } h();", "if (a) g(); h();"),
    ("while (a) { if (b) break; g(); }", "while (a) { if (b) continue; g(); }"),
    ("if (a && b) g();", "if (b && a) g();"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_another_form(one: str, two: str) -> None:
    assert form(one) == form(two)


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_another_thing(one: str, two: str) -> None:
    assert form(one) != form(two)
