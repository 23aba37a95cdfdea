"""Where output cannot go: exit code 2, one message with the place, and no half file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from loadput.base.errors import OutputError
from loadput.base.output import check_output, open_output, store

Run = Callable[..., CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("loadput")
TRACE = next((ROOT / "tests/trace/fixtures").glob("*.dat*"))
ONE = ("--scenario", "one")
# Every verb that writes a file, up to the option that names it.
WRITERS = {
    "check-json": ("check", *ONE, "--json"),
    "check-html": ("check", *ONE, "--design", "skip-iii", "--html"),
    "judge-json": ("check", ROOT / "examples/mail.txt", *ONE, "--arch", "riscv", "--json"),
    "compare-json": ("compare", *ONE, "--arch", "riscv", "--design", "D", "--json"),
    "list-json": ("list", "state", "--arch", "riscv", "--json"),
    "museum-json": ("museum", "preempted-iff-running", "--json"),
    "export-o": ("export", "--to", "promela", *ONE, "-o"),
    "trace-json": ("trace", TRACE, "--json"),
    "trace-html": ("trace", TRACE, "--html"),
    "trace-perfetto": ("trace", TRACE, "--perfetto"),
    "conform-json": ("conform", TRACE, "--json"),
}
EACH = pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)


def refused(done: CompletedProcess[str], place: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("error[LP0520]") == 1, done.stderr
    assert f"--> {place}" in done.stderr
    assert "expected:" in done.stderr and "next:" in done.stderr
    assert "Traceback" not in done.stderr


@EACH
def test_a_folder_that_is_not_there_is_said_before_the_work(
    loadput: Run, words: tuple[object, ...]
) -> None:
    done = loadput(*words, "none/x")
    refused(done, "none/x")
    assert done.stdout == ""


@EACH
def test_a_full_disk(loadput: Run, words: tuple[object, ...]) -> None:
    refused(loadput(*words, "/dev/full"), "/dev/full")


@EACH
@pytest.mark.parametrize("place", [".", "/proc/x", "/sys/x", "f/x", "n" * 300], ids=lambda p: p[:6])
def test_places_that_are_no_file(
    loadput: Run, tmp_path: Path, words: tuple[object, ...], place: str
) -> None:
    (tmp_path / "f").write_text("a file, no folder")
    refused(loadput(*words, place), place)
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@EACH
def test_a_file_that_does_not_fit_leaves_nothing_and_the_old_one_is_kept(
    tmp_path: Path, words: tuple[object, ...]
) -> None:
    (tmp_path / "x").write_text("the old one")
    command = ["bash", "-c", 'ulimit -f 1; exec "$@" > /dev/null', "-", COMMAND, *words, "x"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    refused(done, "x")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"x": "the old one"}


@pytest.mark.parametrize(
    "words",
    ["list", "check --scenario one", "run", "explain LP0520", "dump", "diff design:B",
     "check --scenario one --json -", "export --to promela --scenario one"],
)  # fmt: skip
@pytest.mark.parametrize("to", ["> /dev/full", ">&-"])
def test_standard_output_that_cannot_be_written(tmp_path: Path, words: str, to: str) -> None:
    done = subprocess.run(
        f"{COMMAND} {words} {to}", shell=True, cwd=tmp_path, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    refused(done, "standard output")
    assert list(tmp_path.iterdir()) == []


def test_a_verdict_is_no_secret_where_messages_are_lost(tmp_path: Path) -> None:
    for words, code in ((f"check {' '.join(ONE)}", 0), ("check --arch vax", 2), ("check --no", 2)):
        for to in ("2> /dev/full", "2>&-"):
            done = subprocess.run(f"{COMMAND} {words} {to}", shell=True, cwd=tmp_path, check=False)
            assert done.returncode == code, (words, to)


def test_a_reader_that_goes_is_no_finding(tmp_path: Path) -> None:
    for words in ("list", "check --scenario one", "run --steps 5000"):
        command = f"{COMMAND} {words} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.stdout.strip(), done.stderr) == ("141", "")


def test_two_outputs_or_an_input_and_an_output_of_one_name(loadput: Run, tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_bytes((ROOT / "examples/mail.txt").read_bytes())
    (tmp_path / "s.toml").write_text('cpus = 1\nvms = [0]\ntask = [{runs = "vcpu_thread"}]\n')
    os.link(tmp_path / "m.txt", tmp_path / "hard")
    for words in (
        ("check", *ONE, "--json", "x", "--html", "./x"),
        ("check", "m.txt", *ONE, "--json", tmp_path / "m.txt"),
        ("check", "--scenario", "s.toml", "--json", "s.toml"),
        ("export", "--to", "murphi", "--scenario", "s.toml", "-o", "s.toml"),
        ("trace", TRACE, "--json", TRACE),
        ("conform", TRACE, "--json", TRACE),
    ):
        done = loadput(*words)
        assert done.returncode == 2 and "error[LP0521]" in done.stderr, (words, done.stderr)
    assert (tmp_path / "m.txt").read_bytes() == (ROOT / "examples/mail.txt").read_bytes()


# The parts, where the command cannot show them.


def test_store_is_a_whole_file_with_the_mode_of_the_old_one(tmp_path: Path) -> None:
    at = tmp_path / "x"
    store(at, b"1")
    at.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(at)
    store(link, b"22")
    assert at.read_bytes() == b"22" and at.stat().st_mode & 0o777 == 0o600 and link.is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"x", "link"}


def test_an_output_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    def write() -> Iterator[None]:
        with open_output(tmp_path / "x") as file:
            file.write(b"half")
            yield
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write())
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_and_a_device_are_written_to_as_they_are(tmp_path: Path) -> None:
    check_output("/dev/null")
    store("/dev/null", b"x")
    with pytest.raises(OutputError, match="No space left"):
        store("/dev/full", b"x")
    assert os.path.exists("/dev/full")


CRASH = """
import os, sys
import loadput.cli.list as verb
{before}
def fail(*a, **k): raise ZeroDivisionError("ours")
verb.command.callback = fail
sys.argv = ["loadput", "list"]
from loadput.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("before", "where"),
    [
        ("", "here"),
        ("os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')", "spare"),
        ("os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); os.environ['TMPDIR'] = '/none'"
         "; import tempfile; tempfile.gettempdir = lambda: '/none'", "home"),
        ("import tempfile; tempfile.mkdtemp = lambda **k: open('/none/x')", ""),
    ],
)  # fmt: skip
def test_the_crash_folder_goes_where_one_can_write(tmp_path: Path, before: str, where: str) -> None:
    for name in ("here", "spare", "home"):
        (tmp_path / name).mkdir()
    env = dict(os.environ) | {"TMPDIR": str(tmp_path / "spare"), "HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(before=before)], cwd=tmp_path / "here", env=env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3 and "error[LP0999]" in done.stderr, done.stderr
    found = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("traceback.txt")]
    if where:
        assert [f.split("/")[0] for f in found] == [where]
        assert "Traceback" not in done.stderr and found[0].split("/")[1] in done.stderr
    else:
        assert found == [] and "ZeroDivisionError: ours" in done.stderr
