"""Which C is read for which release, and how a tree that has gone on is told from one that has not.

On a made-up kernel with an architecture of its own; tests/tree has the real ones.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import loadput as lp
from loadput.base.errors import InputError, LinkError
from loadput.check.declared import fields_of
from loadput.check.drift import BESIDE, DECIDES
from loadput.check.fingerprint import below, known, reviewed
from loadput.check.follow import GONE, IN_STEP, MOVED
from loadput.check.mirrors import versions_of
from loadput.check.take import write_taken
from loadput.report.drifted import drift_json, render_drift

SPECIFICATION = {
    "arch/toy/overlay.py": '"""toy."""\n\nOVERLAY = Overlay(name="toy", source="made up")\n',
    "arch/toy/toy.py": '''"""Mirrors: arch/toy/kvm/toy.c, arch/toy/include/asm/kvm_host.h, v9.0"""

TOY_REQ_PAUSE = 40


class kvm_vcpu_arch(struct):
    loaded: cpu = -1


def kvm_arch_vcpu_load(vcpu: ptr[kvm_vcpu], cpu: cpu):
    """Mirrors: kvm_arch_vcpu_load(), arch/toy/kvm/toy.c, v9.0"""
    vcpu.arch.loaded = cpu


def kvm_arch_vcpu_put(vcpu: ptr[kvm_vcpu]):
    """Mirrors: kvm_arch_vcpu_put(), arch/toy/kvm/toy.c, v9.0"""
    vcpu.arch.loaded = -1


def toy_kick(vcpu: ptr[kvm_vcpu]):
    """Mirrors: toy_kick(), arch/toy/kvm/toy.c, v9.0"""
    vcpu.ready = True
''',
    "release/v9.0/overlay.py": '"""v9.0."""\n\nOVERLAY = Overlay(name="v9.0", arch="toy")\n',
    "release/v9.1/overlay.py": '"""v9.1."""\n\n'
    'OVERLAY = Overlay(name="v9.1", parent="v9.0", arch="toy")\n',
}
LOAD = """void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	vcpu->arch.loaded = cpu;
}
"""
PUT = """void kvm_arch_vcpu_put(struct kvm_vcpu *vcpu)
{
	vcpu->arch.loaded = -1;
}
"""
KICK = """void toy_kick(struct kvm_vcpu *vcpu)
{
	vcpu->ready = true;
}
"""
HEADER = """#define TOY_REQ_PAUSE KVM_ARCH_REQ(%d)
struct kvm_vcpu_arch {
	int loaded;	/* the CPU */
};
"""
FILES = {
    "arch/toy/kvm/toy.c": LOAD + PUT + KICK,
    "arch/toy/include/asm/kvm_host.h": HEADER % 0,
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def kernel(root: Path, version: str, changes: dict[str, str] | None = None) -> Path:
    major, minor = version.split(".")
    (root / version / "virt/kvm").mkdir(parents=True)
    makefile = f"VERSION = {major}\nPATCHLEVEL = {minor}\nSUBLEVEL = 0\n"
    return write(root / version, {"Makefile": makefile, **FILES, **(changes or {})})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The specification of toy, with what it mirrors taken from the tree of v9.0."""
    root = write(tmp_path / "mine", SPECIFICATION)
    write_taken(kernel(tmp_path, "9.0"), "v9.0", (root,))
    known.cache_clear()
    return root


def status(mine: Path, tree: Path, release: str = "") -> dict[str, tuple[str, str]]:
    """Of toy's own: what became of each, and the release whose C was read last."""
    known.cache_clear()
    got = lp.drift(tree, release=release, arch="toy", search=(mine,))
    return {r.name: (r.status, r.since) for r in got.rows if "toy" in r.path}


def test_the_tree_that_was_taken_is_in_step(mine: Path, tmp_path: Path) -> None:
    assert status(mine, tmp_path / "9.0") == dict.fromkeys(
        ("kvm_arch_vcpu_load", "kvm_arch_vcpu_put", "toy_kick", "kvm_vcpu_arch.loaded",
         "TOY_REQ_PAUSE"),
        (IN_STEP, "v9.0"),
    )  # fmt: skip


def test_each_kind_of_change_is_told(mine: Path, tmp_path: Path) -> None:
    """What could decide most comes first; what is beside what is modelled is no such thing."""
    put = PUT.replace("}", "\ttoy_count();\n}")
    files = {
        "arch/toy/kvm/toy.c": LOAD.replace("loaded", "other") + put,
        "arch/toy/kvm/kick.c": KICK.replace("vcpu->ready", "\n  vcpu->ready /* now */"),
        "arch/toy/include/asm/kvm_host.h": HEADER.replace("loaded", "on_cpu") % 1,
    }
    tree = kernel(tmp_path, "9.2", files)
    assert {k: v for k, (v, _) in status(mine, tree, "v9.0").items()} == {
        "kvm_arch_vcpu_load": DECIDES,
        "TOY_REQ_PAUSE": DECIDES,
        "kvm_arch_vcpu_put": BESIDE,
        "toy_kick": MOVED,
        "kvm_vcpu_arch.loaded": GONE,
    }
    got = lp.drift(tree, release="v9.0", arch="toy", search=(mine,))
    (load,) = [r for r in got.rows if r.name == "kvm_arch_vcpu_load"]
    assert load.without == ["vcpu.arch.loaded = cpu"] and load.change is not None
    assert load.change.new == ["vcpu.arch.other = cpu"] and load.change.gone == 1
    assert (
        got.newer == "the tree is 9.2.0, newer than the specification, whose newest on toy is v9.1"
    )
    assert got.exit_code == 1 and "decides" in render_drift(got)
    assert json.loads(json.dumps(drift_json(got)))["things"][0]["name"] == got.rows[0].name


def test_a_new_condition_on_what_was_there_may_decide(mine: Path, tmp_path: Path) -> None:
    """Also where the statement under it is nothing that ours would know."""
    body = "\tif (toy_is_idle())\n\t\tvcpu->arch.loaded = -1;\n"
    put = PUT.replace("\tvcpu->arch.loaded = -1;\n", body)
    tree = kernel(tmp_path, "9.2", {"arch/toy/kvm/toy.c": LOAD + put + KICK})
    assert status(mine, tree, "v9.0")["kvm_arch_vcpu_put"] == (DECIDES, "v9.0")


def test_what_only_the_old_release_has_read_is_not_in_step_with_the_new(
    mine: Path, tmp_path: Path
) -> None:
    """A release's own fingerprints are of what cites it, and of the very text that was read."""
    tree = kernel(tmp_path, "9.1", {"arch/toy/kvm/toy.c": LOAD + PUT.replace("-1", "-2") + KICK})
    write_taken(tree, "v9.1", (mine,))
    got = status(mine, tree)
    assert got["kvm_arch_vcpu_put"] == (DECIDES, "v9.0"), "nobody has read it"
    assert got["kvm_arch_vcpu_load"] == (IN_STEP, "v9.0"), "its C is still what was read"

    rows = lp.drift(tree, arch="toy", search=(mine,)).rows
    (put,) = [r for r in rows if r.name == "kvm_arch_vcpu_put"]
    read = mine / "fingerprints/v9.1-read.txt"
    read.write_text(f"# looked at it\n{put.path} {put.name} {put.text}\n")
    assert reviewed("v9.1", mine) == {(put.path, put.name, put.text)}
    write_taken(tree, "v9.1", (mine,))
    assert status(mine, tree)["kvm_arch_vcpu_put"] == (IN_STEP, "v9.1")

    write(tree, {"arch/toy/kvm/toy.c": LOAD + PUT.replace("-1", "-3") + KICK})
    assert status(mine, tree)["kvm_arch_vcpu_put"] == (DECIDES, "v9.1"), "it has changed since"
    write_taken(tree, "v9.1", (mine,))
    assert status(mine, tree)["kvm_arch_vcpu_put"] == (DECIDES, "v9.0"), "that one was never read"


def test_a_body_that_cites_the_release_was_read_for_it(mine: Path, tmp_path: Path) -> None:
    tree = kernel(tmp_path, "9.1", {"arch/toy/kvm/toy.c": LOAD + PUT.replace("-1", "-2") + KICK})
    body = SPECIFICATION["arch/toy/toy.py"].split("\n\n\n")[3].replace("v9.0", "v9.1")
    write(
        mine,
        {"release/v9.1/arch/toy/put.py": f'"""Mirrors: arch/toy/kvm/toy.c, v9.1"""\n\n\n{body}\n'},
    )
    write_taken(tree, "v9.1", (mine,))
    assert status(mine, tree)["kvm_arch_vcpu_put"] == (IN_STEP, "v9.1")


def test_a_release_is_laid_over_mainline_but_for_an_older_one() -> None:
    assert below("v6.12") == [] and below("v6.1.192") == ["v6.1"]
    assert below("v7.3") == ["v6.12", "v7.2"]


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("Mirrors: a(), b(), kernel/x.c, v6.12", {"a": {"v6.12"}, "b": {"v6.12"}}),
        ("Mirrors: a(), kernel/x.c; b(), kernel/y.c, v7.3", {"a": {"v7.3"}, "b": {"v7.3"}}),
        ("Mirrors: a(), kernel/x.c, v7.3; b(), kernel/y.c, v6.12", {"a": {"v7.3"}, "b": {"v6.12"}}),
        ("Mirrors: a(), kernel/x.c, v7.3, v6.12", {"a": {"v7.3", "v6.12"}}),
        ("Mirrors: a(), kernel/x.c, v6.12, without what v7.3 has", {"a": {"v6.12"}}),
        ("Mirrors: a(), kernel/x.c, v6.12\n\nOmits: v7.3's", {"a": {"v6.12"}}),
        (
            "Mirrors: a(), kernel/x.c, v6.12.\n    Context: from v7.3 on preemptible",
            {"a": {"v6.12"}},
        ),
        ('Mirrors: a(), kernel/x.c, v6.1; commit 123456789abc ("b") (in v6.14)', {"a": {"v6.1"}}),
        ("Mirrors: a(), kernel/x.c\n\nIn v7.3 otherwise.", {}),
    ],
)
def test_a_version_is_of_what_stands_before_it(doc: str, expected: dict[str, set[str]]) -> None:
    assert versions_of(doc) == expected


def test_the_fields_of_a_struct_are_read_however_they_are_declared() -> None:
    text = """struct other { int no; };
struct s {
	int a, *b;
	struct { u8 c:1; } __packed;
	union { long d; } e[2];
	void (*f)(int);
#ifdef X
	DECLARE_BITMAP(g, 64);
#endif
} __aligned(64);
"""
    got = {name: " ".join(field.split()) for name, field in fields_of(text, "s").items()}
    assert got == {
        "a": "int a",
        "b": "int *b",
        "c": "u8 c:1",
        "e": "union { long d; } e[2]",
        "f": "void (*f)(int)",
        "g": "DECLARE_BITMAP(g, 64)",
    }


def test_what_is_no_kernel_or_no_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no kernel tree"):
        lp.drift(tmp_path)
    with pytest.raises(InputError, match="no kernel tree"):
        write_taken(tmp_path, "v6.12")
    (tmp_path / "virt/kvm").mkdir(parents=True)
    with pytest.raises(LinkError, match="written for none of s390"):
        lp.drift(tmp_path, release="v7.2", arch="s390")
