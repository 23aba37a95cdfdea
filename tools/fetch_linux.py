"""Fetch the Debian kernel sources that `make test-tree` reads, and say where they are.

For every package of linux_sources.toml: the unpacked tree that its environment variable names, or
the one in the cache, or a download by `apt-get download`. A newer point release is taken, with a
note on standard error. Prints `VARIABLE=PATH` lines for the shell; with names of packages, only
theirs.

A kernel that this machine's own release does not have comes from another suite of the same mirror:
apt gets a list of sources of its own for that, in the cache, made from the machine's entries. What
the machine itself installs from is not touched.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "loadput"


def own_sources() -> list[tuple[str, str]]:
    """``(URI, keyring)`` of each Debian archive that this machine installs from."""
    found: list[tuple[str, str]] = []
    etc = Path("/etc/apt")
    for f in sorted(etc.glob("sources.list.d/*.sources")):
        for entry in re.split(r"\n\s*\n", f.read_text("utf-8", "replace")):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", entry, re.M))
            for uri in fields.get("URIs", "").split():
                found.append((uri.rstrip("/"), fields.get("Signed-By", "").strip()))
    for f in (etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))):
        text = f.read_text("utf-8", "replace") if f.is_file() else ""
        for options, uri in re.findall(r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)", text, re.M):
            signed = re.search(r"signed-by=(\S+)", options)
            found.append((uri.rstrip("/"), signed[1] if signed else ""))
    return [(u, k) for u, k in dict.fromkeys(found) if re.search(r"/debian(-security)?$", u)]


def source_lines(suites: Iterable[str]) -> str:
    """A sources.list with ``suites`` alone, from the archives that this machine has already."""
    sources = own_sources()
    if not sources:
        raise RuntimeError("no Debian archive in /etc/apt: name the unpacked trees instead")
    rows = []
    for suite in suites:
        is_security = suite.endswith("-security")
        fits = [s for s in sources if s[0].endswith("-security") == is_security]
        uri, key = (fits or sources)[0]
        if not fits:
            uri = uri + "-security" if is_security else uri.removesuffix("-security")
        rows.append(f"deb {f'[signed-by={key}] ' if key.startswith('/') else ''}{uri} {suite} main")
    return "\n".join(rows) + "\n"


@functools.cache
def apt_options(suites: tuple[str, ...]) -> tuple[str, ...]:
    """Options that make apt see ``suites`` and nothing else; their lists are read once."""
    home = CACHE / "apt"
    (home / "lists/partial").mkdir(parents=True, exist_ok=True)
    (home / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    (home / "sources.list").write_text(source_lines(suites))
    settings = {
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": home / "lists",
        "Dir::Cache": home / "cache",
    }
    options = tuple(x for k, v in settings.items() for x in ("-o", f"{k}={v}"))
    done = subprocess.run(
        ["apt-get", "update", "-q", *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"fetch_linux: apt-get update: {done.stderr.strip()[:300]}", file=sys.stderr)
    return options


def fetch(package: str, version: str, sha256: str, suites: tuple[str, ...]) -> Path:
    """Return the unpacked tree of ``package``; RuntimeError where it cannot be had."""
    kept = CACHE / f"{package}_{version}"
    if (kept / "virt/kvm/kvm_main.c").is_file():
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
        # apt's own download user may not write here; it then works as ours, with a warning.
        os.chmod(tmp, 0o755)
        wanted = [f"{package}={version}", package]
        for name in wanted:
            done = subprocess.run(
                ["apt-get", "download", "-q", *apt_options(suites), name],
                cwd=tmp,
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                break
            print(f"fetch_linux: no {name}: {done.stderr.strip()[:200]}", file=sys.stderr)
        debs = list(Path(tmp).glob("*.deb"))
        if not debs:
            raise RuntimeError(
                f"{package} cannot be downloaded;"
                " name an unpacked tree in the environment (see tools/linux_sources.toml)"
            )
        found = hashlib.sha256(debs[0].read_bytes()).hexdigest()
        got = debs[0].name.split("_")[1].replace("%3a", ":")
        if got == version and found != sha256:
            raise RuntimeError(f"{debs[0].name}: sha256 {found}, expected {sha256}")
        if got != version:
            print(
                f"fetch_linux: NOTE: {package} {got} (sha256 {found}) in place of {version}:"
                " put it into tools/linux_sources.toml and look at tests/tree again",
                file=sys.stderr,
            )
            kept = CACHE / f"{package}_{got}"
        subprocess.run(["dpkg-deb", "-x", str(debs[0]), f"{tmp}/x"], check=True)
        (packed,) = Path(tmp, "x/usr/src").glob("linux-source-*.tar.xz")
        with tarfile.open(packed) as tar:
            tar.extractall(Path(tmp, "tree"), filter="data")
        (tree,) = Path(tmp, "tree").iterdir()
        if not kept.exists():
            tree.rename(kept)
    return kept


def main() -> None:
    """Print a `VARIABLE=PATH` line for each source."""
    sources = tomllib.loads((HERE / "linux_sources.toml").read_text())["source"]
    suites = tuple(dict.fromkeys(s["suite"] for s in sources))
    for s in sources:
        if sys.argv[1:] and s["package"] not in sys.argv[1:]:
            continue
        given = os.environ.get(s["env"], "")
        tree = Path(given) if given else fetch(s["package"], s["version"], s["sha256"], suites)
        if not (tree / "virt/kvm/kvm_main.c").is_file():
            raise SystemExit(f"{s['env']}={tree}: not a kernel source tree")
        print(f"{s['env']}={shlex.quote(str(tree))}")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as e:
        raise SystemExit(f"fetch_linux: {e}") from None
