"""Overlays that do not fit are errors with a code and a place, never silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadput.base.errors import LoadputError
from loadput.link.overlay import get_overlay
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import load_scenario

OVERLAY = 'OVERLAY = Overlay(name="mine", parent="D", source="ours"{more})\n'
PUT = '''
# [Modified in design:mine]
def vcpu_put(vcpu: ptr[kvm_vcpu]{more}):
    """Ours: a put that does nothing."""
    pass
'''


def lay(folder: Path, files: dict[str, str], more: str = "") -> Program:
    """Link design D with one overlay of these files."""
    at = folder / "design" / "mine"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text(OVERLAY.format(more=more))
    for name, text in files.items():
        (at / name).write_text(text)
    return link(Choice("svm", "mine", search=(folder,)), load_scenario("one"))


def refused(folder: Path, files: dict[str, str], more: str = "") -> LoadputError:
    with pytest.raises(LoadputError) as e:
        lay(folder, files, more)
    return e.value


def test_an_overlay_that_fits_is_laid_on(tmp_path: Path) -> None:
    p = lay(tmp_path, {"a.py": PUT.format(more="")})
    assert p.functions["vcpu_put"].origin == "design:mine"
    assert "kvm_arch_vcpu_put" in p.functions
    assert [(r.name, r.before.origin) for r in p.replaced if r.after.origin == "design:mine"] == [
        ("vcpu_put", "mainline")
    ]


@pytest.mark.parametrize("kind", ["arch", "design", "release", "twin"])
def test_an_unknown_overlay_is_told_with_the_nearest(kind: str) -> None:
    near = {"arch": "riscv", "design": "skip-iii", "release": "v6.12", "twin": "no_ibpb"}[kind]
    with pytest.raises(LoadputError, match=f"nearest: {near}") as e:
        get_overlay(kind, near + "x")
    assert e.value.code == "LP0401" and near in (e.value.available or "")


def test_an_abstract_overlay_cannot_be_chosen() -> None:
    with pytest.raises(LoadputError, match="no arch 'x86'"):
        link(Choice("x86"), load_scenario("one"))


def test_an_unknown_parent_is_an_error(tmp_path: Path) -> None:
    at = tmp_path / "design" / "lost"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text('OVERLAY = Overlay(name="lost", parent="nowhere")\n')
    with pytest.raises(LoadputError, match="'nowhere'") as e:
        link(Choice("svm", "lost", search=(tmp_path,)), load_scenario("one"))
    assert e.value.code == "LP0402"


def test_a_body_given_twice_is_an_error_at_the_second(tmp_path: Path) -> None:
    e = refused(tmp_path, {"a.py": PUT.format(more=""), "b.py": PUT.format(more="")})
    assert e.code == "LP0404" and "'vcpu_put' twice" in e.what
    assert e.span and e.span.file.endswith("b.py") and e.span.line == 3
    assert "a.py:3" in (e.expected or "")


def test_a_changed_signature_is_an_error_unless_it_is_declared(tmp_path: Path) -> None:
    e = refused(tmp_path, {"a.py": PUT.format(more=", why: bool")})
    assert e.code == "LP0405" and e.span and (e.span.line, e.span.col) == (3, 1)
    assert (e.got, e.expected) == ("vcpu, why", "vcpu")
    assert 'signatures="vcpu_put"' in (e.next or "")


@pytest.mark.parametrize("name", ["vcpu_putt", "kvm_vcpu.preemptedd"])
def test_taking_out_what_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    e = refused(tmp_path, {}, more=f', removes="{name}"')
    assert e.code == "LP0403" and name in e.what
    assert "vcpu_put" in (e.expected or "") or "." in name


def test_a_retyped_field_is_an_error_at_the_field(tmp_path: Path) -> None:
    text = "class kvm_vcpu(struct):\n    added: bool\n    preempted: upto[3]\n"
    e = refused(tmp_path, {"a.py": text})
    assert e.code == "LP0406" and "kvm_vcpu.preempted" in e.what
    assert e.span and e.span.line == 3 and "kvm_host.py" in (e.expected or "")


def test_a_struct_of_another_kind_is_an_error(tmp_path: Path) -> None:
    e = refused(tmp_path, {"a.py": 'class kvm_vcpu(struct, per="cpu"):\n    pass\n'})
    assert e.code == "LP0406" and "per cpu" in e.what


def test_a_design_for_one_architecture_is_refused_on_another() -> None:
    with pytest.raises(LoadputError) as e:
        link(Choice("riscv", "skip-i"), load_scenario("one"))
    assert e.value.code == "LP0407" and "svm" in (e.value.available or "")


def test_a_release_for_one_architecture_is_refused_on_another_and_with_another_design() -> None:
    with pytest.raises(LoadputError, match=r"release v7\.2 is not written for svm") as e:
        link(Choice("svm", "", "v7.2"), load_scenario("one"))
    assert e.value.code == "LP0407" and e.value.available == "riscv"
    with pytest.raises(LoadputError) as e:
        link(Choice("riscv", "B", "v7.2"), load_scenario("one"))
    assert e.value.code == "LP0408"


def test_a_twin_for_one_release_is_refused_on_another() -> None:
    with pytest.raises(LoadputError) as e:
        link(Choice("riscv", twin="riscv_skip_without_former"), load_scenario("one"))
    assert e.value.code == "LP0407" and e.value.available == "v7.2"


def test_a_design_that_a_release_cannot_take_is_refused() -> None:
    with pytest.raises(LoadputError) as e:
        link(Choice("svm", "B", "v6.1"), load_scenario("one"))
    assert e.value.code == "LP0408"


def test_a_form_for_a_release_is_laid_over_the_rest_where_that_is_linked(tmp_path: Path) -> None:
    at = tmp_path / "twin" / "mine"
    (at / "release" / "v7_3" / "arch" / "svm").mkdir(parents=True)
    (at / "overlay.py").write_text('OVERLAY = Overlay(name="mine", parent="D")\n')
    body = (
        "# [Modified in twin:mine]\ndef svm_prepare_host_switch(vcpu: ptr[kvm_vcpu]):\n    pass\n"
    )
    (at / "release" / "v7_3" / "arch" / "svm" / "svm.py").write_text(body)
    for release, origin in (("v6.12", "arch:svm"), ("v7.3", "twin:mine")):
        choice = Choice("svm", release=release, twin="mine", search=(tmp_path,))
        p = link(choice, load_scenario("one"))
        assert p.functions["svm_prepare_host_switch"].origin == origin
    (at / "release" / "v7_3").rename(at / "release" / "v9_9")
    with pytest.raises(LoadputError, match="folder release/='v9_9'") as e:
        link(Choice("svm", twin="mine", search=(tmp_path,)), load_scenario("one"))
    assert e.value.code == "LP0424"


@pytest.mark.parametrize(
    ("line", "code", "col"),
    [
        ("vcpu.cpu = smp_processor_idd()", "", 16),
        ("vcpu.preemptd = True", "LP0202", 5),
        ("moon = stars", "LP0201", 12),
        ("while vcpu:\n        del vcpu", "LP0203", 9),
        ("import os", "LP0203", 5),
    ],
)
def test_a_body_that_cannot_be_lowered_names_the_place(
    tmp_path: Path, line: str, code: str, col: int
) -> None:
    text = PUT.format(more="").replace("    pass", f"    {line}")
    try:
        p = lay(tmp_path, {"a.py": text})
    except LoadputError as e:
        assert e.code == code and e.span and e.span.col >= col
        assert e.span.file.endswith("a.py") and e.line_text and e.line_text.strip() in text
    else:
        assert code == "" and "smp_processor_idd" in p.opaque


def test_an_overlay_file_without_an_overlay_is_an_error(tmp_path: Path) -> None:
    at = tmp_path / "design" / "mine"
    at.mkdir(parents=True)
    (at / "overlay.py").write_text("NOTHING = 1\n")
    with pytest.raises(LoadputError, match="no OVERLAY") as e:
        link(Choice("svm", "mine", search=(tmp_path,)), load_scenario("one"))
    assert e.value.code == "LP0211"
