"""The recording script: what it finds, places, writes and takes away, on a tracefs made by hand."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from loadput.record import END, render_paste, render_script
from loadput.trace import read_trace
from loadput.trace.cursor import read_bytes
from loadput.trace.formats.tracedat import open_tracedat
from loadput.trace.needs import FUNCTIONS

FIXTURES = Path(__file__).parents[1] / "trace" / "fixtures"
SPEC = Path(__file__).parents[2] / "src" / "loadput" / "spec"
SHELLS = [s for s in ("sh", "bash", "dash") if shutil.which(s)]
SHELLS += ["busybox sh"] if shutil.which("busybox") else []
TRACING = Path("/sys/kernel/tracing")


def shell(text: str, *words: str, name: str = "sh") -> subprocess.CompletedProcess[str]:
    command = [*name.split(), "-c", text, "record", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_what_is_printed_is_one_command_for_a_terminal() -> None:
    script = render_script(out="a b.dat", seconds=3)
    text = render_paste(script, ["make", "a b"])
    lines = text.splitlines()
    assert lines[0] == f"sh -s -- make 'a b' <<'{END}'"
    assert lines[1] == "seconds=3 buffer_kb=8192 out='a b.dat'"
    assert lines.index(END, 1) == len(lines) - 1, "nothing in it ends it"
    assert "\t" not in text, "a terminal completes names at a tab"
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_reads_it(name: str) -> None:
    done = subprocess.run(
        [*name.split(), "-n"], input=render_script(out="x"), text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_each_probed_function_is_one_that_is_read() -> None:
    probed = re.findall(r"^ +probe \w+ (\w+) (vcpu|pn)", render_script(out="x"), re.M)
    written = "".join(p.read_text("utf-8") for p in SPEC.rglob("*.py"))
    accounted = {f for names in FUNCTIONS.values() for f in names}
    for function, argument in probed:
        assert function in accounted or f"def {function}(" in written, function
        assert argument == ("pn" if function in ("kvm_sched_in", "kvm_sched_out") else "vcpu")


# --- a BTF made by hand ---------------------------------------------------------------------------


def btf(types: list[tuple[int, ...]], strings: bytes, skip: int = 0) -> bytes:
    """A BTF file; ``skip``: bytes of a header that is longer than today's."""
    body = b"".join(struct.pack(f"<{len(t)}I", *t) for t in types)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24 + skip, 0, len(body), len(body), len(strings))
    return head + bytes(skip) + body + strings


class Names:
    """A string section that goes on where another one ends."""

    def __init__(self, first: int = 0) -> None:
        self.data, self.first = b"" if first else b"\0", first

    def add(self, name: str) -> int:
        self.data += name.encode() + b"\0"
        return self.first + len(self.data) - len(name) - 1


def kind(number: int, count: int = 0, flag: int = 0) -> int:
    return flag << 31 | number << 24 | count


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("name", SHELLS)
def test_fields_are_found_in_btf(tmp_path: Path, name: str, is_split: bool) -> None:
    base = Names()
    shared = {n: base.add(n) for n in ("cpu", "kvm", "int")}
    own = Names(len(base.data)) if is_split else base
    # Every kind that has words of its own stands in front: an INT, ARRAY, ENUM, FUNC_PROTO, VAR,
    # DATASEC, DECL_TAG, ENUM64, FLOAT; and a struct of another name.
    front: list[tuple[int, ...]] = [
        (shared["int"], kind(1), 4, 32), (0, kind(3), 0, 1, 1, 9), (0, kind(6, 2), 4, 1, 0, 1, 1),
        (0, kind(13, 1), 0, 0, 1), (0, kind(14), 1, 0), (0, kind(15, 1), 4, 1, 0, 4),
        (0, kind(17), 1, 0), (0, kind(19, 1), 8, 0, 1, 2), (0, kind(16), 4),
        (shared["kvm"], kind(4, 1), 8, shared["cpu"], 1, 64),
    ]  # fmt: skip
    members = [
        (shared["kvm"], 1, 0), (own.add("preempt_notifier"), 1, 64), (shared["cpu"], 1, 256),
        (own.add("wants_to_run"), 1, 2384), (own.add("other"), 1, 9),
        (own.add("ready"), 1, 1 << 24 | 2400), (own.add("arch"), 1, 2432),
    ]  # fmt: skip
    vcpu = own.add("kvm_vcpu")
    flat = [x for m in members for x in m]
    arch = own.add("kvm_vcpu_arch")
    last = (own.add("last_exit_cpu"), 1, 32)
    mine: list[tuple[int, ...]] = [
        (vcpu, kind(7), 0),  # a forward declaration of the same name
        (vcpu, kind(4, len(members), 1), 4096, *flat),
        (arch, kind(4, 1), 64, *last),
    ]
    (tmp_path / "vmlinux").write_bytes(btf(front + ([] if is_split else mine), base.data, 8))
    files = [str(tmp_path / "vmlinux")]
    if is_split:
        (tmp_path / "kvm").write_bytes(btf(front + mine, own.data))
        files.append(str(tmp_path / "kvm"))
    script = render_script(out="x")
    part = script[script.index("# --- 1.") : script.index(': >"$work/fields"')]
    done = shell(f"work={tmp_path}\n{part}\nbtf_fields {' '.join(files)}", name=name)
    assert done.stdout.split("\n") == [
        "kvm_vcpu.kvm 0", "kvm_vcpu.preempt_notifier 8", "kvm_vcpu.cpu 32",
        "kvm_vcpu.wants_to_run 298", "kvm_vcpu.ready 300", "kvm_vcpu.arch 304",
        "kvm_vcpu_arch.last_exit_cpu 4", "",
    ], done.stderr  # fmt: skip


# --- a tracefs made by hand -----------------------------------------------------------------------

GROUP = "loadput"
POINTS = re.findall(r"\b(?:sched|kvm)/\w+", render_script(out="x").partition('points="')[2])


@pytest.fixture
def tracefs(tmp_path: Path) -> Path:
    """A folder that looks like tracefs while an instance holds the pages of a fixture."""
    source = open_tracedat(read_bytes(FIXTURES / "x86-6.1.dat"), "x")
    root, instance = tmp_path / "tracing", tmp_path / "instance"
    for where in (root / "instances", root / "events" / "kvm", instance / "events" / GROUP):
        where.mkdir(parents=True)
    (root / "events" / "header_page").write_text(source.meta.header_page)
    (root / "events" / "header_event").write_text("# compressed entry header\n")
    (root / "saved_cmdlines").write_text(
        "".join(f"{p} {n}\n" for p, n in source.meta.cmdlines.items())
    )
    for name in ("kprobe_events", "kprobe_profile"):
        (root / name).write_text("")
    for number, text, system in source.meta.by_id.items():
        event = text.split(b"\n", 1)[0].partition(b":")[2].strip().decode()
        folder = instance / "events" / (GROUP if system == "kv" else system) / event
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "format").write_bytes(text)
        assert b"ID: %d" % number in text
    for cpu in source.cpus:
        folder = instance / "per_cpu" / f"cpu{cpu.cpu}"
        folder.mkdir(parents=True)
        pages = np.concatenate([p for _, p, _ in source._iter_pages(cpu)])
        (folder / "trace_pipe_raw").write_bytes(pages.tobytes())
        (folder / "stats").write_text("entries: 0\noverrun: 0\ndropped events: 0\n")
    return root


def run_on(tracefs: Path, out: Path, *words: str, name: str = "sh", kvm: str = "kvm") -> str:
    """Run the script on ``tracefs``; what it said."""
    script = render_script(out=str(out), seconds=1)
    symbols = tracefs.parent / "kallsyms"
    found = "".join(f"ffffffffc0{i:06x} t {f}\t[{kvm}]\n" for i, f in enumerate(
        ("vcpu_load", "vcpu_put", "kvm_sched_in", "kvm_sched_out", "kvm_arch_vcpu_load")
    ))  # fmt: skip
    symbols.write_text(found)
    for old, new in (
        ("tracing=/sys/kernel/tracing", f"tracing={tracefs}"),
        ("lock=/run/loadput-record.pid", f"lock={tracefs.parent}/pid"),
        ("[ -d /run ] || lock=/var/run/loadput-record.pid\n", ""),
        ("/proc/kallsyms", str(symbols)),
    ):
        assert old in script
        script = script.replace(old, new)
    instance = tracefs.parent / "instance"
    kernel = (
        f'id() {{ echo 0; }}\nmkdir() {{ cp -r {instance} "$1"; }}\nrmdir() {{ rm -r "$1"; }}\n'
    )
    done = shell(kernel + script, *words, name=name)
    return f"{done.stderr}rc {done.returncode}"


@pytest.mark.parametrize("name", SHELLS)
def test_the_file_holds_what_the_buffers_held(tracefs: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.dat"
    said = run_on(tracefs, out, name=name)
    assert said.endswith("rc 0") and f"next: loadput trace {out}" in said
    want, got = read_trace(FIXTURES / "x86-6.1.dat"), read_trace(out)
    assert [m.kind for m in got.missing] == []
    known = {p.partition("/")[2] for p in POINTS} | {"load", "put", "arch_load", "svm_prep"}
    for event in known & set(want.events()):
        left, right = want.columns(event), got.columns(event)
        assert left.keys() == right.keys()
        for key in left:
            assert left[key].tolist() == right[key].tolist(), (event, key)
    assert (got.clock, got.uname.split()[0]) == ("mono", os.uname().sysname)


def test_probes_are_placed_and_taken_away(tracefs: Path, tmp_path: Path) -> None:
    run_on(tracefs, tmp_path / "out.dat")
    lines = (tracefs / "kprobe_events").read_text().splitlines()
    placed = [x for x in lines if not x.startswith("-:")]
    names = [x.split()[0].partition(":")[2] for x in placed]
    assert names == [f"{GROUP}/{n}" for n in (
        "load", "put", "sched_in", "sched_out", "sched_in_ret", "sched_out_ret", "arch_load",
    )]  # fmt: skip
    assert sorted(lines[len(placed) :]) == sorted(f"-:{n}" for n in names)
    assert not (tracefs / "instances" / GROUP).exists()
    assert all(" kvm:" in x for x in placed), "the module of each function"


def test_a_command_is_recorded_and_its_exit_code_kept(tracefs: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    said = run_on(tracefs, tmp_path / "out.dat", "sh", "-c", f"echo >{mark}; exit 3")
    assert said.endswith("rc 3") and mark.exists()


def test_without_kprobes_the_stock_tracepoints_are_recorded(tracefs: Path, tmp_path: Path) -> None:
    (tracefs / "kprobe_events").unlink()
    said = run_on(tracefs, tmp_path / "out.dat")
    assert "no kprobe events (CONFIG_KPROBE_EVENTS): stock tracepoints only" in said
    assert "kvm_entry" in read_trace(tmp_path / "out.dat").events()


def test_without_kvm_it_says_so_and_leaves_nothing(tracefs: Path, tmp_path: Path) -> None:
    (tracefs / "events" / "kvm").rmdir()
    said = run_on(tracefs, tmp_path / "out.dat")
    assert "KVM is not there" in said and said.endswith("rc 2")
    assert list((tracefs / "instances").iterdir()) == []


def test_what_a_killed_recording_left_is_taken_away_first(tracefs: Path, tmp_path: Path) -> None:
    shutil.copytree(tracefs.parent / "instance", tracefs / "instances" / GROUP)
    (tracefs / "kprobe_events").write_text("p:loadput/old kvm:old\np:other/x kvm:x\n")
    said = run_on(tracefs, tmp_path / "out.dat")
    assert "taking away what a killed recording left" in said and said.endswith("rc 0")
    lines = (tracefs / "kprobe_events").read_text().splitlines()
    assert lines[2] == "-:loadput/old" and not any("-:other" in x for x in lines)


def test_another_recording_is_not_disturbed(tracefs: Path, tmp_path: Path) -> None:
    (tracefs.parent / "pid").write_text(f"{os.getpid()}\n")
    said = run_on(tracefs, tmp_path / "out.dat")
    assert f"another recording runs here, pid {os.getpid()}" in said and said.endswith("rc 2")


def test_without_root_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from loadput.base.errors import TraceError
    from loadput.cli.record import command

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(TraceError) as caught:
        command.main(["-o", "x.dat"], standalone_mode=False)
    assert caught.value.code == "LP0613" and "--print" in str(caught.value)


# --- the kernel that is here ----------------------------------------------------------------------


def loadput(*words: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).parent / "loadput"), "record", *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for(instance: bool) -> bool:
    for _ in range(200):
        if (TRACING / "instances" / GROUP).exists() == instance:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(
    os.geteuid() != 0 or not (TRACING / "events/kvm").is_dir(), reason="needs root and KVM's events"
)
def test_killed_it_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "out.dat"
    killed = loadput("--seconds", "60", "-o", str(out))
    if not wait_for(True):
        pytest.skip("this kernel lets nobody record, or somebody else records")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert wait_for(False)
    again = loadput("--seconds", "1", "-o", str(out))
    assert again.communicate(timeout=60)[1].count("error") == 0 and again.returncode == 0
    assert read_trace(out).events()["sched_switch"] > 0
    assert wait_for(False)
