"""Boots Debian's kernels under emulation, records their KVM, holds that to the specification.

    python lab/lab.py smoke              one kernel, under four minutes
    python lab/lab.py all [NAME...]      every kernel of kernels.toml; prints docs/lab.md's table
    python lab/lab.py fetch [NAME...]    packages only
    python lab/lab.py experiment NAME    decides a finding; a folder of lab/experiments
    python lab/lab.py reproduce NAME [KERNEL]    the program of `loadput reproduce NAME`, and its control

Needs QEMU for the machine (Debian: qemu-system-x86, qemu-system-misc with opensbi, qemu-system-arm)
and a C compiler for it (gcc, gcc-riscv64-linux-gnu, gcc-aarch64-linux-gnu). Kernels and busybox are
Debian's packages, unpacked into the cache and never installed. Nothing on the host is traced.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tools"))

from fetch_linux import CACHE, source_lines  # noqa: E402

LAB = CACHE / "lab"
SECONDS = 8
# A boot takes 10 to 25 s on an idle machine; one of five riscv boots hangs before its first word.
BOOT_SECONDS, TRIES = 150, 3
# The recording itself is a tenth of this; the rest is for a machine that does other things.
RUN_SECONDS = 400


@dataclass
class Kernel:
    """One kernel of kernels.toml, with its machine's settings."""

    name: str
    machine: dict[str, Any]
    arch: str
    suites: list[str]
    append: str
    fits: str
    packages: list[dict[str, str]]
    busybox: dict[str, Any]
    root: Path = field(default_factory=Path)


def read_kernels() -> dict[str, Kernel]:
    """Every kernel by name."""
    table = tomllib.loads((HERE / "kernels.toml").read_text("utf-8"))
    return {
        k["name"]: Kernel(
            k["name"], table["machine"][k["machine"]], k["machine"], k["suites"], k["append"],
            k["fits"], k["packages"], table["busybox"][k["machine"]],
        )
        for k in table["kernel"]
    }  # fmt: skip


# --- packages -------------------------------------------------------------------------------------


def apt_options(arch: str, suites: list[str]) -> list[str]:
    """Options that make apt see ``suites`` for ``arch`` and nothing of this machine's own."""
    home = LAB / f"apt-{arch}-{'-'.join(suites)}"
    for part in ("lists/partial", "cache/archives/partial"):
        (home / part).mkdir(parents=True, exist_ok=True)
    (home / "sources.list").write_text(source_lines(suites))
    settings = {
        "Dir::Etc::sourcelist": home / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": home / "lists", "Dir::State::status": "/dev/null",
        "Dir::Cache": home / "cache", "APT::Architecture": arch, "APT::Architectures": arch,
    }  # fmt: skip
    options = [x for k, v in settings.items() for x in ("-o", f"{k}={v}")]
    if not any((home / "lists").glob("*Packages*")):
        subprocess.run(["apt-get", *options, "update", "-q"], check=False, capture_output=True)
    return options


def fetch_package(arch: str, suites: list[str], name: str, version: str, sha256: str) -> Path:
    """The unpacked package; RuntimeError where it cannot be had."""
    kept = LAB / "packages" / f"{name}_{version}_{arch}".replace(":", "_")
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    options = apt_options(arch, suites)
    with tempfile.TemporaryDirectory(dir=LAB) as tmp:
        os.chmod(tmp, 0o755)
        for wanted in (f"{name}={version}", name):
            command = ["apt-get", *options, "download", "-q", wanted]
            if subprocess.run(command, cwd=tmp, capture_output=True, check=False).returncode == 0:
                break
        debs = list(Path(tmp).glob("*.deb"))
        if not debs:
            raise RuntimeError(f"{name} {version} cannot be downloaded from {', '.join(suites)}")
        got = hashlib.sha256(debs[0].read_bytes()).hexdigest()
        found = debs[0].name.split("_")[1].replace("%3a", ":")
        if found == version and got != sha256:
            raise RuntimeError(f"{debs[0].name}: sha256 {got}, expected {sha256}")
        if found != version:
            print(f"lab: NOTE: {name} {found} ({got}) in place of {version}", file=sys.stderr)
        subprocess.run(["dpkg-deb", "-x", str(debs[0]), f"{tmp}/x"], check=True)
        Path(tmp, "x").rename(kept)
    return kept


def fetch(kernel: Kernel) -> tuple[list[Path], Path]:
    """The unpacked packages of a kernel, and a static busybox of its machine."""
    roots = [fetch_package(kernel.arch, kernel.suites, **p) for p in kernel.packages]
    shell = fetch_package(kernel.arch, **kernel.busybox)
    return roots, next(p for p in (shell / "usr/bin/busybox", shell / "bin/busybox") if p.exists())


# --- the image ------------------------------------------------------------------------------------


def find_modules(roots: list[Path]) -> dict[str, Path]:
    """Module name -> file; names have underscores."""
    out = {}
    for root in roots:
        for path in root.rglob("*.ko*"):
            out[path.name.split(".")[0].replace("-", "_")] = path
    return out


def read_module(path: Path) -> bytes:
    """A module's bytes, unpacked."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def order_modules(roots: list[Path], wanted: list[str]) -> Iterator[tuple[str, bytes]]:
    """The modules and what they need, each after what it needs; built-in ones are left out."""
    files, done = find_modules(roots), set()

    def visit(name: str) -> Iterator[tuple[str, bytes]]:
        name = name.replace("-", "_")
        if name in done or name not in files:
            return
        done.add(name)
        data = read_module(files[name])
        needs = re.search(rb"\0depends=([^\0]*)", data)
        for other in needs[1].decode().split(",") if needs else []:
            yield from visit(other)
        yield f"{name}.ko", data

    for name in wanted:
        yield from visit(name)


def pack_cpio(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A cpio archive (newc) of mode and bytes by name."""
    out = bytearray()
    for number, (name, (mode, data)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def build_image(kernel: Kernel, roots: list[Path], busybox: Path) -> bytes:
    """The initramfs: busybox, init, the modules."""
    files = {"bin": (0o040755, b""), "modules": (0o040755, b"")}
    files["bin/busybox"] = (0o100755, busybox.read_bytes())
    files["init"] = (0o100755, (HERE / "guest/init").read_bytes())
    order = []
    for name, data in order_modules(roots, kernel.machine["modules"]):
        files[f"modules/{name}"] = (0o100644, data)
        order.append(name)
    files["modules/order"] = (0o100644, "\n".join(order).encode() + b"\n")
    return pack_cpio(files)


def build_program(kernel: Kernel, source: Path, target: Path) -> None:
    """Compile a static program for the kernel's machine."""
    compiler = kernel.machine["cc"]
    if shutil.which(compiler) is None:
        raise RuntimeError(f"no {compiler}: apt-get install it, with its libc6-dev")
    command = [compiler, "-O1", "-Wall", "-static", "-pthread", "-o", str(target), str(source)]
    subprocess.run(command, check=True)


# --- booting --------------------------------------------------------------------------------------


def find_linux(roots: list[Path]) -> Path:
    """The kernel's image: in boot, or in newer packages beside the modules."""
    found = [p for r in roots for p in r.rglob("vmlinu[xz]*") if p.is_file()]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} kernel images in {', '.join(map(str, roots))}")
    return found[0]


def boot(kernel: Kernel, share: Path, seconds: int, *, append: str = "") -> str:
    """Boot ``kernel`` with ``share`` as its share, whose ``run`` it runs; what its console said.

    :raises RuntimeError: no boot within the time, after some tries
    """
    roots, busybox = fetch(kernel)
    image = LAB / f"{kernel.name}.cpio"
    image.write_bytes(build_image(kernel, roots, busybox))
    linux = find_linux(roots)
    m = kernel.machine
    if shutil.which(m["qemu"]) is None:
        raise RuntimeError(f"no {m['qemu']}: apt-get install QEMU for {kernel.arch}")
    line = f"console={m['console']} loglevel=4 panic=-1 rdinit=/init {kernel.append} {append}"
    command = [
        m["qemu"], "-machine", m["machine"], "-accel", "tcg,thread=multi", "-cpu", m["cpu"],
        "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-nographic",
        "-serial", "stdio", "-no-reboot", "-kernel", str(linux), "-initrd", str(image),
        "-append", line, "-fsdev", f"local,id=share,path={share},security_model=none",
        "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
    ]  # fmt: skip
    said = ""
    for _ in range(TRIES):
        said = run_limited(command, BOOT_SECONDS, seconds)
        if "LAB rc" in said:
            return said
    raise RuntimeError(f"{kernel.name} did not come up: ...{said[-500:]}")


def run_limited(command: list[str], first: int, more: int) -> str:
    """Output of a command that is stopped after ``first`` seconds without the guest's first word,
    and ``more`` after that."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end, runs = time.monotonic() + first, False
        while child.poll() is None and time.monotonic() < end:
            time.sleep(0.5)
            log.seek(0)
            if not runs and b"LAB runs" in log.read():
                runs, end = True, time.monotonic() + more
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            child.wait()
        log.seek(0)
        return log.read().decode("utf-8", "replace")


# --- one recording --------------------------------------------------------------------------------


@dataclass
class Result:
    """What a kernel's recording says."""

    kernel: str
    system: str
    events: int
    loads: int
    sched_ins: int
    verdict: str
    release: str
    compared: int
    races: int
    diverging: int
    lost: int
    spent: float

    def row(self) -> str:
        """The table's row."""
        return (
            f"| {self.system} | {self.events:,} | {self.loads:,} | {self.sched_ins:,} | "
            f"{self.verdict} ({self.release}) | {self.compared:,} | {self.races} | "
            f"{self.diverging} |"
        )


HEAD = (
    "| kernel | events | loads | by sched_in | verdict | compared | races | divergences |\n"
    "|---|---:|---:|---:|---|---:|---:|---:|"
)


def record(kernel: Kernel, share: Path, seconds: int = SECONDS) -> Result:
    """Boot, run the exerciser under the printed commands of ``loadput record``, judge the file."""
    from loadput.record import render_paste, render_script

    begin = time.monotonic()
    build_program(kernel, HERE / "guest/exercise.c", share / "exercise")
    script = render_script(out="rec.dat", buffer_kb=32768)
    # The exerciser is the command: nothing competes with what comes before and after it.
    exercise = ["./exercise", str(seconds), *kernel.machine["vms"]]
    (share / "paste").write_text(render_paste(script, exercise))
    (share / "run").write_text(
        "sh ./paste\n"
        "cat /sys/kernel/tracing/kprobe_events | wc -l\nls /sys/kernel/tracing/instances | wc -l\n"
    )
    said = boot(kernel, share, RUN_SECONDS)
    log = (share / "log").read_text("utf-8", "replace") if (share / "log").is_file() else ""
    if not (share / "rec.dat").is_file():
        raise RuntimeError(f"{kernel.name}: no recording\n{said[-2000:]}\n{log[-2000:]}")
    if log.split()[-2:] != ["0", "0"]:
        raise RuntimeError(f"{kernel.name}: probes or an instance were left behind\n{log[-2000:]}")
    return judge(kernel, share / "rec.dat", time.monotonic() - begin)


def judge(kernel: Kernel, file: Path, spent: float) -> Result:
    """Hold a recording to the accounting and to the specification."""
    from loadput.conform import conform_trace
    from loadput.trace import read_trace
    from loadput.trace.account import account_trace

    trace = read_trace(file)
    account, verdict = account_trace(trace), conform_trace(trace)
    fit = verdict.fits[0]
    return Result(
        kernel.name, trace.uname, account.event_count, sum(account.total.loads.values()),
        account.total.loads["sched_in"], verdict.verdict, verdict.release,
        sum(c.compared for c in fit.counts), sum(c.widened for c in fit.counts), fit.diverging,
        sum(m.count for m in trace.missing if m.count > 0), spent,
    )  # fmt: skip


# --- experiments ----------------------------------------------------------------------------------


def experiment(name: str, kernels: dict[str, Kernel], keep: Path | None) -> bool:
    """Run an experiment on each of its kernels; whether all came out as the finding says."""
    folder = HERE / "experiments" / name
    if not folder.is_dir():
        known = sorted(p.name for p in (HERE / "experiments").iterdir())
        raise RuntimeError(f"no experiment {name}: there are {', '.join(known)}")
    plan = tomllib.loads((folder / "experiment.toml").read_text("utf-8"))
    print(plan["title"])
    print("\n| kernel | what | wrong | expected |\n|---|---|---:|---|", flush=True)
    good = True
    for on in plan["on"]:
        kernel = kernels[on["kernel"]]
        with tempfile.TemporaryDirectory(prefix="loadput-lab-") as tmp:
            share = Path(tmp)
            for file in folder.iterdir():
                shutil.copy(file, share)
            build_program(kernel, folder / plan["program"], share / "experiment")
            (share / "run").write_text(f"uname -r\n{on.get('run', plan['run'])}\n")
            said = boot(kernel, share, RUN_SECONDS)
            log = (
                (share / "log").read_text("utf-8", "replace") if (share / "log").exists() else said
            )
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}-{kernel.name}.log").write_text(log)
        release, _, _ = log.partition("\n")
        got = {m[1]: (int(m[2]), int(m[3])) for m in RESULT.finditer(log)}
        for what, wanted in on["shown"].items():
            wrong, times = got.get(what, (-1, 0))
            fits = times > 0 and wrong == {"every": times, "none": 0}.get(wanted, -2)
            fits |= wanted == "some" and wrong > 0
            good &= fits
            count = f"{wrong} of {times}" if times else f"nothing: {log[-300:]!r}"
            print(f"| {release} | {what} | {count} | {wanted} |", flush=True)
    verdict = "as the finding says: shown" if good else "NOT as the finding says"
    print(f"\n{verdict} ({plan['finding']})")
    return good


def reproduce(name: str, kernels: dict[str, Kernel], on: str) -> bool:
    """Run the program of ``loadput reproduce NAME``; whether it shows damage and its control none.

    :param on: a kernel of kernels.toml; "": the first on which an experiment has decided the finding
    """
    import loadput

    plan = HERE / "experiments" / name / "experiment.toml"
    if not on and not plan.is_file():
        raise RuntimeError(f"no experiment {name} names a kernel: reproduce {name} KERNEL")
    kernel = kernels[on or tomllib.loads(plan.read_text("utf-8"))["on"][0]["kernel"]]
    with tempfile.TemporaryDirectory(prefix="loadput-lab-") as tmp:
        share = Path(tmp)
        loadput.reproduce(name).write(share / "folder")
        build_program(kernel, share / "folder" / "reproduce.c", share / "reproduce")
        (share / "run").write_text("uname -r\n./reproduce -n 3\n./reproduce -n 3 -c\n")
        said = boot(kernel, share, RUN_SECONDS)
        log = (share / "log").read_text("utf-8", "replace") if (share / "log").exists() else said
    print(log.partition("\n")[0])
    got = {m[1]: (int(m[2]), int(m[3])) for m in RESULT.finditer(log)}
    for what, (count, times) in got.items():
        print(f"{what}: {count} of {times}")
    damage, control = got.get("damage", (0, 0)), got.get("damage, control", (1, 0))
    return damage[0] == damage[1] > 0 and control[0] == 0


RESULT = re.compile(r"^RESULT (.+?): (\d+) of (\d+)$", re.M)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("smoke", "all", "fetch", "experiment", "reproduce"))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--keep", type=Path, help="keep the recordings in this folder")
    args = parser.parse_args()
    kernels = read_kernels()
    if args.what == "experiment":
        return 0 if all(experiment(n, kernels, args.keep) for n in args.names) else 1
    if args.what == "reproduce":
        name, on = (*args.names, "", "")[:2]
        return 0 if reproduce(name, kernels, on) else 1
    names = args.names or [n for n, k in kernels.items() if k.fits]
    names = ["6.12"] if args.what == "smoke" else names
    if args.what == "fetch":
        for name in names:
            print(name, *fetch(kernels[name])[0])
        return 0
    print(HEAD, flush=True)
    good = True
    for name in names:
        with tempfile.TemporaryDirectory(prefix="loadput-lab-") as tmp:
            result = record(kernels[name], Path(tmp), args.seconds)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(tmp, "rec.dat"), args.keep / f"{name}.dat")
        print(result.row(), flush=True)
        print(f"  {result.spent:.0f} s, {result.lost} lost", file=sys.stderr)
        good &= result.verdict == "conforms" and result.release == kernels[name].fits
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as e:
        sys.exit(f"lab: {e}")
