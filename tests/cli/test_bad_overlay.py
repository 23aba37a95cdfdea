"""Overlays that mean nothing: each is an error with its place, none is taken in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bad import lay, run_here, told

CHECK = ("check", "--overlays", "o", "--design", "mine", "--arch", "riscv", "--scenario", "one")
GOOD = 'OVERLAY = Overlay(name="mine", parent="D"'
OVERLAYS: list[tuple[str, str, str, int]] = [
    ("OVERLAY = Overlay(name=", "LP0210", "not valid Python", 1),
    ("\n\nOVERLAY = = 1\n", "LP0210", "not valid Python", 3),
    ('OVERLAY = Overlay(name="mine", parent=get("D"))', "LP0218", "an expression", 1),
    ('OVERLAY = Overlay(name="mi" + "ne")', "LP0218", "an expression", 1),
    (f"{GOOD}, source=3)", "LP0218", "got: int", 1),
    (f"{GOOD}, abstract=1)", "LP0218", "True or False", 1),
    (f'{GOOD},\n signatures=["a"])', "LP0218", "an expression", 2),
    (f"{GOOD}, removes=None)", "LP0218", "removes = None", 1),
    (f'{GOOD}, paernt="D")', "LP0218", "nearest: parent", 1),
    (f'{GOOD}, breaks="SOUT_AT_LOAD")', "LP0218", "of a design", 1),
    (f'{GOOD}, parent="C")', "LP0218", "given twice", 1),
    (f'{GOOD}, **{{"arch": "svm"}})', "LP0218", "keyword '**", 1),
    ('OVERLAY = Overlay("mine")', "LP0218", "without a keyword", 1),
    ("OVERLAY = Overlay()", "LP0218", "without a name", 1),
    ('OVERLAY = Overlay(name="")', "LP0218", "letters, digits", 1),
    ('OVERLAY = Overlay(name="a b")', "LP0218", "letters, digits", 1),
    (f"{GOOD})\n{GOOD})\n", "LP0211", "one OVERLAY", 2),
    (f"import os\n{GOOD})\n", "LP0211", "'import os' in overlay.py", 1),
    (f"{GOOD})\nprint(OVERLAY)\n", "LP0211", "print(OVERLAY)", 2),
    ('OVERLAY = dict(name="mine")', "LP0211", "one OVERLAY", 1),
    ('OVERLAY = {"name": "mine"}', "LP0211", "one OVERLAY", 1),
    ("", "LP0211", "no OVERLAY", 1),
    ('Overlay(name="mine")', "LP0211", "no OVERLAY", 1),
    ("x = " + "[" * 3000 + "]" * 3000, "LP0225", "nested too deep", 1),
    (f"{GOOD}, source=" + "not " * 3000 + "1)", "LP0225", "nested too deep", 1),
]


@pytest.mark.parametrize(("text", "code", "what", "line"), OVERLAYS, ids=range(len(OVERLAYS)))
def test_overlay_py(tmp_path: Path, text: str, code: str, what: str, line: int) -> None:
    lay(tmp_path, "", overlay=text or "\n")
    out = told(run_here(tmp_path, *CHECK), code, f"o/design/mine/overlay.py:{line}")
    assert what in out


@pytest.mark.parametrize("name", ["overlay.py", "a.py"])
@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"\xff", 1, "0xff"),
        (b'"""\xe9t\xe9."""\n', 1, "0xe9"),
        (b"# ok\n# \xc3\xa9 \xc3(\n", 2, ""),
    ],
)
def test_a_byte_that_is_no_utf8(
    tmp_path: Path, name: str, data: bytes, line: int, what: str
) -> None:
    lay(tmp_path, "")
    (tmp_path / "o/design/mine" / name).write_bytes(data)
    out = told(run_here(tmp_path, *CHECK), "LP0213", f"o/design/mine/{name}:{line}")
    assert what in out and "iconv" in out


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    lay(tmp_path, "")
    at = tmp_path / "o/design/mine"
    (at / "a.py").unlink()
    (at / "a.py").mkdir()
    assert "Is a directory" in told(run_here(tmp_path, *CHECK), "LP0213", "a.py")
    (at / "a.py").rmdir()
    (at / "a.py").symlink_to("a.py")
    told(run_here(tmp_path, *CHECK), "LP0213", "a.py")
    (at / "a.py").unlink()
    (at / "a.py").write_bytes(b"# x\n" * (2 << 20))
    assert "MiB" in told(run_here(tmp_path, *CHECK), "LP0213", "a.py")


def test_a_mark_of_the_byte_order_and_other_line_ends_are_fine(tmp_path: Path) -> None:
    lay(tmp_path, "")
    (tmp_path / "o/design/mine/a.py").write_bytes(b"\xef\xbb\xbfNR = 1\r\n\r\nMR = 2\rM = 3\n")
    assert run_here(tmp_path, *CHECK).returncode == 0


FUNCTION = '\ndef ours(vcpu: ptr[kvm_vcpu]):\n    """Ours."""\n    {}\n'
BODIES: list[tuple[str, str, str]] = [
    ("if vcpu is NULL:\n        pass", "LP0203", "== or !="),
    ("if vcpu.cpu is not 1:\n        pass", "LP0203", "== or !="),
    ("x = not vcpu is NULL", "LP0203", "== or !="),
    ("a = b = 1", "LP0203", "one assignment a line"),
    ("a, b = 1, 2", "LP0203", "a struct"),
    ("x /= 2", "LP0203", "// is C's division"),
    ("x = 1 / 2", "LP0203", "// is C's division"),
    ("x = 2 ** 3", "LP0203", "one of + -"),
    ("x **= 3", "LP0203", "one of + -"),
    ("x = 1.5", "LP0203", "whole numbers"),
    ("x = 1j", "LP0203", "whole numbers"),
    ("x = b'a'", "LP0203", "whole numbers"),
    ("x = ...", "LP0203", "whole numbers"),
    ("x = f'a'", "LP0203", "no strings"),
    ("x = 1 < 2 < 3", "LP0203", "one comparison each"),
    ("x = vcpu in vcpu", "LP0203", "one comparison each"),
    ("x = (y := 1)", "LP0203", "an assignment of its own"),
    ("x = [1]", "LP0203", "array[T, n]"),
    ("x = {1: 2}", "LP0203", "array[T, n]"),
    ("x = [i for i in vcpu]", "LP0203", "each(struct)"),
    ("x = lambda: 1", "LP0203", "the top"),
    ("x = vcpu.requests[1:2]", "LP0203", "one element"),
    ("assert vcpu", "LP0203", "WARN_ON"),
    ("raise vcpu", "LP0203", "BUG()"),
    ("try:\n        pass\n    finally:\n        pass", "LP0203", "return an error"),
    ("import os", "LP0203", "leave it out"),
    ("global x", "LP0203", "leave it out"),
    ("del vcpu", "LP0203", "leave it out"),
    ("yield vcpu", "LP0203", "await_until"),
    ("def inner():\n        pass", "LP0203", "the top"),
    ("match vcpu:\n        case _:\n            pass", "LP0203", "if and elif"),
    ("for i in range(2):\n        pass\n    else:\n        pass", "LP0203", "no else"),
    ("while vcpu:\n        break\n    else:\n        pass", "LP0203", "no else"),
    ("for i in vcpu:\n        pass", "LP0203", "each(struct)"),
    ("for i in range(1, 2, 3):\n        pass", "LP0203", "range(a, b)"),
    ("for i in range():\n        pass", "LP0203", "range(a, b)"),
    ("for i in each():\n        pass", "LP0203", "each(struct)"),
    ("for i, j in each(cpu):\n        pass", "LP0203", "each(struct)"),
    ("with lock:\n        pass", "LP0203", "with atomic"),
    ("with atomic as a:\n        pass", "LP0203", "with atomic"),
    ("with atomic, atomic:\n        pass", "LP0203", "with atomic"),
    ("kvm_vcpu_kick(vcpu=vcpu)", "LP0203", "in the order of the parameters"),
    ("kvm_vcpu_kick(*vcpu)", "LP0203", "array[T, n]"),
    ("vcpu.kick(1)", "LP0203", "in the order of the parameters"),
    ("x = addr()", "LP0207", "addr with 0"),
    ("x = addr(vcpu, vcpu)", "LP0207", "addr with 2"),
    ("x = 99999999999999999999", "LP0214", "small numbers"),
    ("x = 1 << 0x7fffffff", "LP0214", "small numbers"),
    ("x = " + "not " * 3000 + "1", "LP0225", "nested too deep"),
    ("x = " + "not " * 120 + "1", "LP0225", "nested too deep"),
    ("x = " + "-" * 3000 + "1", "LP0225", "nested too deep"),
    ("x = " + "(" * 3000 + "1" + ")" * 3000, "LP0225", "nested too deep"),
    ("x = " + "[" * 3000 + "1" + "]" * 3000, "LP0225", "nested too deep"),
    ("x = vcpu" + ".a" * 3000, "LP0225", "nested too deep"),
    ("x = " + "f(" * 150 + "1" + ")" * 150, "LP0225", "nested too deep"),
    ("x = " + " + ".join(["1"] * 3000), "LP0225", "nested too deep"),
    ("x = " + " and ".join(["vcpu"] * 3000), "LP0225", "nested too deep"),
    ("if vcpu:\n        pass" + "\n    elif vcpu:\n        pass" * 3000, "LP0225", "nested"),
    ("\n".join(" " * (4 * i if i else 0) + "if vcpu:" for i in range(1, 99)) , "LP0210", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "what"), BODIES, ids=[b[0][:16] for b in BODIES])
def test_bodies(tmp_path: Path, body: str, code: str, what: str) -> None:
    words = lay(tmp_path, FUNCTION.format(body))
    assert what in told(run_here(tmp_path, *words), code, "o/design/mine/a.py")


DECLARATIONS: list[tuple[str, str, str]] = [
    ("x = y = 1", "LP0211", "outside a function"),
    ("x = 1.5", "LP0211", "no number"),
    ("x = [1]", "LP0211", "no number"),
    ("x = y", "LP0211", "no number"),
    ("x = 'a'", "LP0211", "no number"),
    ("x = 10**30", "LP0211", "no number"),
    ("x = 99999999999", "LP0214", "small numbers"),
    ("x = -99999999999", "LP0214", "small numbers"),
    ("x[0] = 1", "LP0211", "cannot be declared"),
    ("x += 1", "LP0211", "outside a function"),
    ("print(1)", "LP0211", "outside a function"),
    ("if True:\n    x = 1", "LP0211", "outside a function"),
    ("async def f():\n    pass", "LP0211", "outside a function"),
    ("OVERLAY = 1", "LP0211", "in overlay.py only"),
    ("current = 1", "LP0211", "a meaning of its own"),
    ("NULL: bool", "LP0211", "a meaning of its own"),
    ("def current():\n    pass", "LP0211", "another name"),
    ("class x:\n    pass", "LP0211", "class x(struct)"),
    ("class x(object):\n    pass", "LP0211", "class x(struct)"),
    ("class x(enum, struct):\n    pass", "LP0211", "class x(struct)"),
    ("class x(enum):\n    pass", "LP0211", "at least one"),
    ("class x(enum):\n    A = 1\n    B = 1", "LP0211", "B = 1, as A"),
    ("class x(enum):\n    A", "LP0211", "'A' in enum x"),
    ("class x(enum):\n    A = B = 1", "LP0211", "in enum x"),
    ("class x(enum):\n    A = 'a'", "LP0211", "no number"),
    ("class x(struct, per='moon'):\n    pass", "LP0211", "per='moon'"),
    ("class x(struct, per=3):\n    pass", "LP0211", "per=3"),
    ("class x(struct, pre='cpu'):\n    pass", "LP0211", "pre='cpu'"),
    ("class x(struct):\n    a = 1", "LP0211", "in struct x"),
    ("class x(struct):\n    def f():\n        pass", "LP0211", "in struct x"),
    ("class x(struct):\n    a: bool\n    a: bool", "LP0406", "twice"),
    ("a: 3", "LP0212", "is no type"),
    ("a: 'bool'", "LP0212", "is no type"),
    ("a: upto[1, 2]", "LP0212", "is no type"),
    ("a: upto[-1]", "LP0212", "has no value"),
    ("a: between[2, 1]", "LP0212", "has no value"),
    ("a: between[1]", "LP0212", "is no type"),
    ("a: upto[10000000000]", "LP0214", "small numbers"),
    ("a: ptr[a, b]", "LP0212", "is no type"),
    ("a: ptr[3]", "LP0212", "is no name"),
    ("a: pointer[kvm_vcpu]", "LP0212", "is no type"),
    ("a: token[fs]", "LP0212", "is no type"),
    ("a: token[fs, moon]", "LP0212", "no instances"),
    ("a: array[bool]", "LP0212", "is no type"),
    ("a: array[bool, 0]", "LP0212", "array of 0"),
    ("a: array[bool, 1000000000]", "LP0214", "small numbers"),
    ("a: array[bool, 1000]", "LP0212", "array of 1000"),
    ("a: array[bool, moon]", "LP0212", "no instances"),
    ("a: array[array[bool, 2], 2]", "LP0212", "scalars"),
    ("a: void", "LP0212", "with values"),
    ("a: upto[3] = 4", "LP0214", "starts as 4"),
    ("a: bool = 2", "LP0214", "starts as 2"),
    ("a: setting[ptr[kvm_vcpu]] = 0", "LP0212", "setting a"),
    ("a: setting[upto[2]]", "LP0212", "setting a"),
    ("a: setting[upto[2]] = 3", "LP0214", "0 to 2"),
    ("def f(a):\n    pass", "LP0216", "has no type"),
    ("def f(a: bool = 1):\n    pass", "LP0216", "as in C"),
    ("def f(*a: bool):\n    pass", "LP0216", "as in C"),
    ("def f(**a: bool):\n    pass", "LP0216", "as in C"),
    ("def f(a: bool, /):\n    pass", "LP0216", "as in C"),
    ("def f(*, a: bool):\n    pass", "LP0216", "as in C"),
    ("def f(a: void):\n    pass", "LP0216", "of type void"),
    ("def f(a: embed[kvm_vcpu]):\n    pass", "LP0216", "a scalar"),
    ("def f(current: bool):\n    pass", "LP0216", "another name"),
    ("def f():\n    pass\ndef f():\n    pass", "LP0404", "two bodies"),
]


@pytest.mark.parametrize(("text", "code", "what"), DECLARATIONS, ids=[d[0] for d in DECLARATIONS])
def test_declarations(tmp_path: Path, text: str, code: str, what: str) -> None:
    words = lay(tmp_path, "\n\n" + text + "\n")
    assert what in told(run_here(tmp_path, *words), code, "o/design/mine/a.py")


AT = "def f():\n    pass\n\n"
DECORATORS: list[tuple[str, str]] = [
    ("@property_(source='x')\ndef P() -> bool:\n    return True", "without a place to ask"),
    ("@property_\ndef P() -> bool:\n    return True", "without a place to ask"),
    ("@monitor\ndef m():\n    pass", "without a place"),
    ("@monitor\n@always\ndef m():\n    pass", "without a place"),
    ("@forget_(bodies='f', origin='mainline')\ndef m():\n    pass", "without a place"),
    ("@at_entry(f)\ndef g():\n    pass", "without what is asked there"),
    ("@always\ndef g() -> bool:\n    return True", "without what is asked there"),
    ("@proprety_()\n@always\ndef P() -> bool:\n    return True", "nearest: property_"),
    ("@property\n@always\ndef P() -> bool:\n    return True", "nearest: property_"),
    ("@at_enter(f)\n@monitor\ndef m():\n    pass", "nearest: at_entry"),
    ("@a.b\ndef g():\n    pass", "unknown decorator @a.b"),
    ("@at_entry\n@monitor\ndef m():\n    pass", "with 0 arguments"),
    ("@at_entry(f, f)\n@monitor\ndef m():\n    pass", "with 2 arguments"),
    ("@at_entry(f())\n@monitor\ndef m():\n    pass", "a name or a string"),
    ("@at_entry(f)\n@monitor\n@monitor\ndef m():\n    pass", "twice"),
    ("@at_entry(f)\n@property_(soruce='x')\ndef P() -> bool:\n    return True", "nearest: source"),
    ("@at_entry(f)\n@property_(source=3)\ndef P() -> bool:\n    return True", "a name or a string"),
    ("@at_entry(f)\n@property_(**x)\ndef P() -> bool:\n    return True", "one each of"),
    ("@at_entry(f)\n@property_()\ndef P():\n    return True", "returns no bool"),
    ("@at_entry(f)\n@property_()\ndef P() -> int:\n    return 1", "returns no bool"),
    ("@at_entry(f)\n@monitor\ndef m() -> bool:\n    return True", "returns a value"),
    ("@at_entry(f)\n@always\n@property_()\ndef P() -> bool:\n    return True", "another place"),
    ("@always\n@stuck\n@property_()\ndef P() -> bool:\n    return True", "another place"),
    ("@always\n@property_()\ndef P(v: ptr[kvm_vcpu]) -> bool:\n    return True", "parameters"),
    ("@task\ndef t(v: ptr[kvm_vcpu]):\n    pass", "@task with parameters"),
    ("@irq\ndef t(v: ptr[kvm_vcpu]):\n    pass", "@irq with parameters"),
    ("@task\n@at_entry(f)\n@monitor\ndef t():\n    pass", "@monitor and @task"),
    ("@env\ndef t():\n    pass", "@env without @irq"),
    ("@frame('sched2')\ndef t():\n    pass", "a frame that there is not"),
    ("@frame\ndef t():\n    pass", "with 0 arguments"),
    ("@task(1)\ndef t():\n    pass", "a name or a string"),
    ("@task(now=1)\ndef t():\n    pass", "no keywords"),
]


@pytest.mark.parametrize(("text", "what"), DECORATORS, ids=[d[0] for d in DECORATORS])
def test_decorators(tmp_path: Path, text: str, what: str) -> None:
    words = lay(tmp_path, AT + text + "\n")
    assert what in told(run_here(tmp_path, *words), "LP0215", "o/design/mine/a.py")


def test_folders_in_which_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    assert "KIND/NAME/overlay.py" in told(run_here(tmp_path, *CHECK), "LP0425", "o")
    lay(tmp_path / "x", "")
    (tmp_path / "x/o/design").rename(tmp_path / "o/desing")
    assert "nearest: design" in told(
        run_here(tmp_path, *CHECK), "LP0425", "o/desing/mine/overlay.py"
    )
    (tmp_path / "o/desing").rename(tmp_path / "o/design")
    assert run_here(tmp_path, *CHECK).returncode == 0
    (tmp_path / "o/design/mine/overlay.py").rename(tmp_path / "o/design/mine/overley.py")
    assert "overlay.py in it" in told(run_here(tmp_path, *CHECK), "LP0425", "o/design/mine")


def test_two_overlays_of_one_name(tmp_path: Path) -> None:
    lay(tmp_path, "")
    (tmp_path / "o/design/two").mkdir()
    (tmp_path / "o/design/two/overlay.py").write_text('OVERLAY = Overlay(name="mine")\n')
    assert "o/design/mine" in told(
        run_here(tmp_path, *CHECK), "LP0425", "o/design/two/overlay.py:1"
    )
    (tmp_path / "o/design/two/overlay.py").write_text('OVERLAY = Overlay(name="B")\n')
    assert "spec/design/B" in told(
        run_here(tmp_path, *CHECK), "LP0425", "o/design/two/overlay.py:1"
    )
    (tmp_path / "o/design/two/overlay.py").write_text('OVERLAY = Overlay(name="two")\n')
    assert run_here(tmp_path, *CHECK[:3], "--overlays", "./o", *CHECK[3:]).returncode == 0
