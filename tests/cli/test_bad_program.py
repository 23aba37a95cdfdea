"""Programs that mean nothing as a whole: refused with the place, not taken in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .bad import lay, run_here, told

HEAD = "\n\n"
PLACE = '@at_entry(kvm_arch_vcpu_load)\n@property_(source="ours")\n'
HOOKS: list[tuple[str, str, str]] = [
    # names that nobody has
    ("@at_entry(kvm_arch_vcpu_laod)\n@property_()\ndef P() -> bool:\n    return True", "LP0421",
     "nearest: kvm_arch_vcpu_load"),
    ("@at_exit(typo)\n@monitor\ndef m():\n    pass", "LP0421", "@at_exit(typo)"),
    ("@at_entry(vcpu_put)\n@at_entry(vcpu_ptu)\n@monitor\ndef m():\n    pass", "LP0421", "vcpu_p"),
    (PLACE.replace("ours\"", "ours\", needs='vcpu_ptu'") + "def P() -> bool:\n    return True",
     "LP0421", "nearest: vcpu_put"),
    (PLACE.replace("ours\"", "ours\", needs='kvm_vcpu.moded'") + "def P() -> bool:\n"
     "    return True", "LP0421", "nearest: kvm_vcpu.mode"),
    (PLACE.replace("ours\"", "ours\", where='cpu_hotplugs'") + "def P() -> bool:\n    return True",
     "LP0421", "nearest: cpu_hotplug"),
    (PLACE.replace("ours\"", "ours\", does='fly'") + "def P() -> bool:\n    return True", "LP0421",
     "does='fly'"),
    (PLACE.replace("ours\"", "ours\", twin='no_ibbp'") + "def P() -> bool:\n    return True",
     "LP0421", "nearest: no_ibpb"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    return v.preemptd", "LP0202", "preempted"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    return kvm_runing_vcpu == v", "LP0201",
     "kvm_running_vcpu"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    return v.cpu.x", "LP0206", "is no struct"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    return kvm_vcpu_is_blockin(v)", "LP0421",
     "nearest: kvm_vcpu_is_blocking"),
    (PLACE + "def P(v: ptr[kvm]) -> bool:\n    return True", "LP0421", "is a ptr[kvm]"),
    (PLACE + "def P(v: ptr[kvm_vcpu], c: ptr[kvm]) -> bool:\n    return True", "LP0421", "cpu"),
    # hooks that change what they look at
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    v.preempted = 0\n    return True", "LP0422",
     "writes kvm_vcpu.preempted"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    kvm_vcpu_kick(v)\n    return True", "LP0422",
     "P > kvm_vcpu_kick"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    fresh(this_cpu(hw_vs_csr), v)\n"
     "    return True", "LP0422", "writes hw_vs_csr"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    assume(v.ready)\n    return True", "LP0422",
     "assume()"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    await_until(v.ready)\n    return True",
     "LP0422", "await_until()"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    preempt_disable()\n    return True", "LP0422",
     "preempt_disable"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    return choose()", "LP0422", "choose()"),
    (PLACE + "def P(v: ptr[kvm_vcpu]) -> bool:\n    WARN_ON(v.ready)\n    return True", "LP0422",
     "WARN_ON()"),
    ("@at_entry(vcpu_put)\n@monitor\ndef m(v: ptr[kvm_vcpu]):\n    v.preempted = True", "LP0422",
     "no ghost"),
    ("@at_entry(vcpu_put)\n@monitor\ndef m(v: ptr[kvm_vcpu]):\n    set_it(v)\n\n\n"
     "def set_it(v: ptr[kvm_vcpu]):\n    WRITE_ONCE(v.ready, False)", "LP0422", "m > set_it"),
    ("@always\n@property_()\ndef P() -> bool:\n    this_cpu_write(kvm_running_vcpu, NULL)\n"
     "    return True", "LP0422", "writes kvm_running_vcpu"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "what"), HOOKS, ids=range(len(HOOKS)))
def test_properties_and_monitors(tmp_path: Path, text: str, code: str, what: str) -> None:
    words = lay(tmp_path, HEAD + text + "\n")
    assert what in told(run_here(tmp_path, *words), code, "a.py")


def test_what_another_architecture_has_is_a_reason_not_to_ask(tmp_path: Path) -> None:
    text = "@at_entry(svm_vcpu_load)\n@property_()\ndef P() -> bool:\n    return True\n\n\n"
    text += "@at_entry(vcpu_put)\n@property_()\ndef Q() -> bool:\n    return this_cpu(hw_fs) != 0\n"
    text = text.replace("hw_fs) != 0", "hw_fs) != NULL")
    done = run_here(tmp_path, *lay(tmp_path, HEAD + text))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " P," in done.stdout.partition("not applicable")[2]


BODY = '\n\n# [Modified in design:mine]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    """O."""\n    {}\n'
BODIES: list[tuple[str, str, str]] = [
    # types
    ("this_cpu_write(hw_vs_csr, vcpu)", "LP0209", "token_of(owner)"),
    ("__this_cpu_write(hw_vs_csr, smp_processor_id())", "LP0209", "cpu is no token"),
    ("this_cpu_write(hw_vs_csr, 3)", "LP0209", "the number 3"),
    ("this_cpu_write(hw_vs_csr, True)", "LP0209", "the number 1"),
    ("this_cpu_write(hw_vs_csr, IN_GUEST_MODE)", "LP0209", "IN_GUEST_MODE is no"),
    ("this_cpu_write(hw_vs_csr, this_cpu(hw_fregs))", "LP0209", "token[fp, task]"),
    ("this_cpu_write(kvm_running_vcpu, this_cpu(hw_vs_csr))", "LP0209", "owner_of(token)"),
    ("this_cpu_write(kvm_running_vcpu, vcpu.kvm)", "LP0209", "ptr[kvm] is no ptr[kvm_vcpu]"),
    ("this_cpu_write(kvm_running_vcpu, current)", "LP0209", "ptr[task_struct]"),
    ("this_cpu_write(kvm_running_vcpu, vcpu.cpu)", "LP0209", "cpu is no ptr"),
    ("this_cpu_write(kvm_running_vcpu, vcpu.ready)", "LP0209", "bool is no ptr"),
    ("vcpu.cpu = vcpu", "LP0209", "is no CPU"),
    ("vcpu.mode = vcpu", "LP0209", "is no number"),
    ("vcpu.ready = this_cpu(hw_vs_csr)", "LP0209", "is no number"),
    ("WRITE_ONCE(vcpu.mode, this_cpu(hw_vs_csr))", "LP0209", "is no number"),
    ("if this_cpu(hw_vs_csr) == vcpu:\n        pass", "LP0209", "token_of(owner)"),
    ("if vcpu == this_cpu(hw_vs_csr):\n        pass", "LP0209", "owner_of(token)"),
    ("if vcpu != vcpu.kvm:\n        pass", "LP0209", "ptr[kvm]"),
    ("if vcpu == 3:\n        pass", "LP0209", "the number 3"),
    ("if this_cpu(hw_vs_csr) > 1:\n        pass", "LP0209", "is no number"),
    ("x = this_cpu(hw_vs_csr) + 1", "LP0209", "is no number"),
    ("x = vcpu * 2", "LP0209", "is no number"),
    ("x = token_of(vcpu.cpu)", "LP0209", "an owner that is none"),
    ("x = owner_of(vcpu)", "LP0209", "no token"),
    ("fresh(this_cpu(hw_vs_csr), current)", "LP0209", "per vcpu"),
    ("fresh(vcpu.ready, vcpu)", "LP0209", "no token"),
    ("x = container_of(vcpu, kvm_vcpus, x)", "LP0206", "nearest: kvm_vcpu"),
    ("x = container_of(vcpu, task_struct, x)", "LP0206", "one per task"),
    ("x = vcpu_load(vcpu)", "LP0209", "returns nothing"),
    ("vcpu_load(current)", "LP0209", "ptr[task_struct] is no ptr[kvm_vcpu]"),
    ("vcpu_load(addr(vcpu.ready))", "LP0204", "address of a scalar"),
    ("vcpu_load(addr(vcpu.wait))", "LP0209", "ptr[rcuwait]"),
    ("return vcpu", "LP0209", "returns a value"),
    ("x = 'text'", "LP0203", "no strings"),
    ("vcpu_load('text')", "LP0203", "no strings"),
    # arguments
    ("READ_ONCE()", "LP0207", "expected: 1"),
    ("x = READ_ONCE(vcpu.ready, vcpu.mode)", "LP0207", "expected: 1"),
    ("preempt_disable(1)", "LP0207", "expected: 0"),
    ("x = choose(1)", "LP0207", "lo and hi"),
    ("x = choose(3, 1)", "LP0207", "no answer"),
    ("x = choose(1, 2, 3)", "LP0207", "0 to 2"),
    # sleeping in one step
    ("with atomic:\n        schedule()", "LP0423", "schedule > __schedule"),
    ("with atomic:\n        if vcpu.ready:\n            cond_resched()", "LP0423",
     "cond_resched > schedule"),
    ("with atomic:\n        kvm_vcpu_block(vcpu)", "LP0423", "kvm_vcpu_block >"),
    ("with atomic:\n        with atomic:\n            vcpu.ready = 1\n        schedule()", "LP0423",
     "schedule"),
    ("with atomic:\n        might_sleep()", "LP0423", "might_sleep"),
    # ghosts
    ("if vcpu.arch.seen:\n        pass", "LP0426", "kvm_vcpu_arch.seen"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "what"), BODIES, ids=[b[0][:40] for b in BODIES])
def test_bodies(tmp_path: Path, body: str, code: str, what: str) -> None:
    ghost = "class kvm_vcpu_arch(struct):\n    seen: ghost[bool]\n"
    words = lay(tmp_path, ghost + BODY.format(body))
    assert what in told(run_here(tmp_path, *words), code, "a.py")


MARKS: list[tuple[str, str]] = [
    ("# [Modified in design:mine]\ndef vcpu_putt():\n    pass", "nearest: vcpu_put"),
    ("# [Modified in design:B]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    pass", "in design:mine"),
    ("# [Modified in twin:mine]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    pass", "in design:mine"),
    ("# [New in design:mine]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    pass", "there already"),
    ("# [Modfied in design:mine]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    pass", "Modified"),
    ("# [Removed in design:mine]\ndef vcpu_put(vcpu: ptr[kvm_vcpu]):\n    pass", "removes="),
]


@pytest.mark.parametrize(("text", "what"), MARKS, ids=[m[0][:30] for m in MARKS])
def test_comments_that_are_not_so(tmp_path: Path, text: str, what: str) -> None:
    words = lay(tmp_path, HEAD + text + "\n")
    assert what in told(run_here(tmp_path, *words), "LP0420", "a.py:3")


DECLARED: list[tuple[str, str, str]] = [
    ("class kvm_vcppu(struct):\n    x: bool", "LP0212", "nearest: kvm_vcpu"),
    ("class kvm_vcpu(struct):\n    x: ptr[kvm_vcppu]", "LP0212", "nearest: kvm_vcpu"),
    ("class kvm_vcpu(struct):\n    x: embed[nothing]", "LP0212", "kvm_vcpu.x"),
    ("x: upto", "LP0212", "unknown type 'upto'"),
    ("x: per_cpu[ptr[nothing]]", "LP0212", "unknown type 'nothing'"),
    ("x: array[ptr[nothing], cpu]", "LP0212", "unknown type 'nothing'"),
    ("def f(x: ptr[nothing]):\n    pass", "LP0212", "parameter x of f"),
    ("def f() -> ptr[nothing]:\n    return NULL", "LP0212", "what f returns"),
    ("class kvm_vcpu(struct):\n    preempted: upto[3]", "LP0406", "as at"),
    ("class kvm_vcpu(struct, per='cpu'):\n    pass", "LP0406", "per vcpu"),
]


@pytest.mark.parametrize(("text", "code", "what"), DECLARED, ids=[d[0] for d in DECLARED])
def test_declarations(tmp_path: Path, text: str, code: str, what: str) -> None:
    words = lay(tmp_path, HEAD + text + "\n")
    assert what in told(run_here(tmp_path, *words), code, "a.py")


TWINS: list[tuple[str, str, str]] = [
    (', breaks="SOUT_AT_LAOD"', "LP0424", "nearest: SOUT_AT_LOAD"),
    (', breaks="SOUT-AT-LOAD"', "LP0424", "with _ for -"),
    (', breaks="SOUT_AT_LOAD, NOTHING"', "LP0424", "breaks='NOTHING'"),
    (', arch="riscvv"', "LP0424", "nearest: riscv"),
    (', release="v6.13"', "LP0424", "nearest: v6.1"),
    (', scenario="on"', "LP0424", "nearest: one"),
]


@pytest.mark.parametrize(("more", "code", "what"), TWINS, ids=[t[0] for t in TWINS])
def test_what_a_twin_says_of_itself(tmp_path: Path, more: str, code: str, what: str) -> None:
    words = lay(tmp_path, "", kind="twin", more=more)
    assert what in told(run_here(tmp_path, *words), code, "o/twin/mine/overlay.py:3")


def test_a_parent_and_what_is_taken_out(tmp_path: Path) -> None:
    words = lay(
        tmp_path / "a", "", kind="twin", overlay='OVERLAY = Overlay(name="mine", parent="X")'
    )
    told(run_here(tmp_path / "a", *words), "LP0424", "overlay.py:1")
    words = lay(tmp_path / "b", "", overlay='OVERLAY = Overlay(name="mine", parent="X")')
    told(run_here(tmp_path / "b", *words), "LP0402", "overlay.py:1")
    words = lay(tmp_path / "c", "", more=', removes="vcpu_putt"')
    assert "nearest: vcpu_put" in told(run_here(tmp_path / "c", *words), "LP0403", "overlay.py:3")
    words = lay(tmp_path / "d", "", more=', removes="kvm_vcpu.preemptd"')
    assert "preempted" in told(run_here(tmp_path / "d", *words), "LP0403", "overlay.py:3")
    words = lay(tmp_path / "e", "", more=', signatures="vcpu_putt"')
    assert "nearest: vcpu_put" in told(run_here(tmp_path / "e", *words), "LP0424", "overlay.py:3")


def test_a_function_that_nothing_calls(tmp_path: Path) -> None:
    words = lay(tmp_path, HEAD + "def kvm_arch_vcpu_laod():\n    pass\n", kind="twin")
    assert "nearest: kvm_arch_vcpu_load" in told(run_here(tmp_path, *words), "LP0427", "a.py:3")


ENUM = "class phase(enum):\n    A = 0\n    B = 1\n\n\nROUNDS = 2\nlate = False\n"
ENUM += "x: setting[upto[3]] = 1\n"
SET: list[tuple[str, str]] = [
    ("preempt_model = 3", "expected: 0 to 2"),
    ("preempt_model = -1", "expected: 0 to 2"),
    ("preempt_model = true", "expected: 0 to 2"),
    ("preempt_modell = 1", "nearest: preempt_model"),
    ("PREEMPT_FULL = 1", "the kernel's"),
    ("IN_GUEST_MODE = 0", "the kernel's"),
    ("A = 1", "is the kernel's"),
    ("TASK_RUNNING = 1", "the kernel's"),
    ("NR_CPUS = 9", "unknown"),
    ("delayed_dequeue = 2", "true or false"),
    ("timer_irqs = -1", "true or false"),
    ("device_irq_cpus = 2", "0 to 1, a bit for each CPU"),
    ("device_irq_cpus = 1000000000000000000000000000000", "a small number"),
    ("device_irq_cpus = 9223372036854775808", "a small number"),
    ("cpu_hotplug = 3", "expected: 0 to 2"),
    ("late = 2", "true or false"),
    ("x = 4", "expected: 0 to 3"),
    ("ROUNDS = 1000", "expected: 0 to 127"),
    ("vtd_posting = 1", "unknown constant"),
    ("x = 2", "riscv does not read here"),
    ("late = true", "it reads: "),
    ("vm_lifetime = true", "it reads: config_changes, cpu_hotplug, deep_idle"),
    ("x = 1.5", "a small number"),
    ("x = 'a'", "a small number"),
    ("x = [1]", "a small number"),
    ("x = { y = 1 }", "a small number"),
    ("x = 1979-05-27", "a small number"),
]


@pytest.mark.parametrize(("line", "what"), SET, ids=[s[0] for s in SET])
def test_constants_that_a_scenario_sets(tmp_path: Path, line: str, what: str) -> None:
    words = lay(tmp_path, ENUM)
    task = '[[task]]\nruns = "vcpu_thread"\nvcpu = 0\n'
    (tmp_path / "s.toml").write_text(f"cpus = 1\nvms = [0]\n{task}[set]\n# ours\n{line}\n")
    code = "LP0501" if "small number" in what else "LP0503"
    assert what in told(run_here(tmp_path, *words[:-1], "s.toml"), code, "s.toml:8")


def test_all_architectures_are_those_that_read_what_the_scenario_sets(tmp_path: Path) -> None:
    done = run_here(
        tmp_path, "check", "--arch", "all", "--scenario", "reuse", "--max-states", "500",
        "--json", "-",
    )  # fmt: skip
    out = json.loads(done.stdout)
    assert [p["program"]["arch"] for p in out["programs"]] == ["svm", "vmx"]


@pytest.mark.parametrize(
    ("text", "code", "what", "line"),
    [
        ('task = [{runs = "vcpu_thread"}]', "LP0501", "without a vCPU", 3),
        ('task = [{runs = "plain_thread", vcpu = 0}]', "LP0501", "no use for vcpu", 3),
        ('task = [{runs = "vcpu_tread", vcpu = 0}]', "LP0504", "nearest: vcpu_thread", 3),
        ('task = [{runs = "idle"}]', "LP0504", "no actor 'idle'", 3),
        ('task = [{runs = "vcpu_load"}]', "LP0504", "no actor", 3),
        ('[[task]]\nruns = "plain_thread"\n[[task]]\nruns = "vcpu_thread"', "LP0501", "task 1", 6),
        ('[[task]]\nruns = "plain_thread"\nvcpu = 0', "LP0501", "no use for", 5),
        ("[[task]]\nruns = 3", "LP0501", "runs = 3", 4),
        ('[[task]]\nruns = "vcpu_thread"\nvcpu = true', "LP0501", "vcpu = True", 5),
        ('[[task]]\nruns = "vcpu_thread"\nvcpu = 1', "LP0501", "vcpu = 1", 5),
        ('[[task]]\nruns = "vcpu_thread"\nvcpus = 0', "LP0501", "nearest: vcpu", 5),
        ('[[task]]\nruns = "x"\ncpus = [true]', "LP0501", "cpus = [True]", 5),
        ('[[task]]\nruns = "x"\ncpus = [[0]]', "LP0501", "cpus = [[0]]", 5),
        ('[[task]]\nruns = "x"\ncpus = [0, 0]', "LP0501", "each once", 5),
        ('[[task]]\nruns = "x"\ncpus = 0', "LP0501", "cpus = 0", 5),
        ('[[task]]\nruns = "x"\ndoes = [["run"]]', "LP0501", "does = [['run']]", 5),
        ('[[task]]\nruns = "x"\ndoes = ["runs"]', "LP0501", "nearest: run", 5),
        ('[[task]]\nruns = "x"\ndoes = "run"', "LP0501", "does = 'run'", 5),
        ('[task]\nruns = "x"', "LP0501", "task = {", 0),
        ("task = 3", "LP0501", "task = 3", 3),
        ("task = [3]", "LP0501", "task 0: 3", 3),
        ("set = 3", "LP0501", "0 tasks", 0),
        ("title = 3", "LP0501", "title = 3", 3),
        ("x = " + "[" * 3000 + "]" * 3000, "LP0501", "nested too deep", 3),
        ("x = " + "{a=" * 3000 + "1" + "}" * 3000, "LP0501", "nested too deep", 3),
        ("x = " + "9" * 5000, "LP0501", "not TOML", 1),
        ("x = 2021-99-99", "LP0501", "not TOML", 3),
        ("x = 1\nx = 2", "LP0501", "not TOML", 4),
        ("x =", "LP0501", "not TOML", 3),
    ],
)  # fmt: skip
def test_scenarios(tmp_path: Path, text: str, code: str, what: str, line: int) -> None:
    (tmp_path / "s.toml").write_text("cpus = 1\nvms = [0]\n" + text + "\n")
    done = run_here(tmp_path, "check", "--arch", "riscv", "--scenario", "s.toml")
    assert what in told(done, code, f"s.toml:{line}" if line else "s.toml")


@pytest.mark.parametrize("line", ["vms = [true]", "vms = [0, true]", "vms = [1.0]", "cpus = true"])
def test_a_boolean_is_no_number(tmp_path: Path, line: str) -> None:
    other = "cpus = 1" if line.startswith("vms") else "vms = [0]"
    (tmp_path / "s.toml").write_text(f'{line}\n{other}\ntask = [{{runs = "x"}}]\n')
    done = run_here(tmp_path, "check", "--arch", "riscv", "--scenario", "s.toml")
    assert line.partition(" =")[0] in told(done, "LP0501", "s.toml:1")


def test_a_byte_that_is_no_utf8_in_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b'cpus = 1\ntitle = "\xe9"\n')
    done = run_here(tmp_path, "check", "--arch", "riscv", "--scenario", "s.toml")
    assert "0xe9" in told(done, "LP0501", "s.toml:2")


def test_names_of_scenarios_that_no_file_can_have(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("x" * 5000, "", "d", "/proc/self/mem/x", "\udcff"):
        told(run_here(tmp_path, "check", "--scenario", name), "LP0502")
