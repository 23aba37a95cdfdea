"""Cut whole pages out of a recording into a small one, and write it in any form that we read.

    python tools/cut_trace.py in.dat out.dat --skip 100 --pages 40 [--version 7] [--pack zstd]
    python tools/cut_trace.py in.dat out.dat ... --text trace.txt.xz out.txt.xz
    python tools/cut_trace.py perf.data out.data --records 4000

Pages are copied byte for byte. Metadata is kept for the events that occur; the symbol table keeps
the functions that probes of the recording point at.
"""

from __future__ import annotations

import argparse
import lzma
import struct
import zlib
from pathlib import Path

import numpy as np
import zstandard

from loadput.trace.cursor import read_bytes
from loadput.trace.formats.perfdata import PerfData, open_perfdata
from loadput.trace.formats.tracedat import TraceDat, open_tracedat
from loadput.trace.metadata import MAGIC, Metadata, read_symbols
from loadput.trace.raw import RawBackend
from loadput.trace.table import Trace

PAGE = 4096
CHUNK_PAGES = 10


def pack(data: bytes, how: str) -> bytes:
    """``data`` packed with ``how``: none, zlib or zstd."""
    if how == "zlib":
        return zlib.compress(data, 9)
    return zstandard.ZstdCompressor(level=19).compress(data) if how == "zstd" else data


class Writer:
    """Writes trace.dat version 7 or 6 from metadata texts and pages per CPU."""

    def __init__(self, meta: Metadata, used: set[int], symbols: bytes, how: str) -> None:
        self.meta, self.used, self.symbols, self.how = meta, used, symbols, how
        self.out = bytearray()

    def headers(self) -> bytes:
        event = b"# compressed entry header\n"
        page = self.meta.header_page.encode()
        return (
            b"header_page\0" + struct.pack("<Q", len(page)) + page
            + b"header_event\0" + struct.pack("<Q", len(event)) + event
        )  # fmt: skip

    def formats(self) -> bytes:
        systems: dict[str, list[bytes]] = {}
        for number, text, system in self.meta.by_id.items():
            if number in self.used and system != "ftrace":
                systems.setdefault(system, []).append(text)
        out = struct.pack("<I", len(systems))
        for system, texts in systems.items():
            out += system.encode() + b"\0" + struct.pack("<I", len(texts))
            for text in texts:
                out += struct.pack("<Q", len(text)) + text
        return out

    def names(self) -> bytes:
        return "".join(f"{pid} {name}\n" for pid, name in self.meta.cmdlines.items()).encode()

    def section(self, number: int, data: bytes) -> int:
        start = len(self.out)
        if self.how != "none":
            packed = pack(data, self.how)
            data = struct.pack("<II", len(packed), len(data)) + packed
        self.out += struct.pack("<HHIQ", number, int(self.how != "none"), 0, len(data)) + data
        return start

    def pages(self, cpus: dict[int, bytes]) -> tuple[int, list[tuple[int, int, int]]]:
        start = len(self.out)
        self.out += bytes(16)
        table = []
        for cpu, data in cpus.items():
            self.out += bytes(-len(self.out) % PAGE)
            at = len(self.out)
            if self.how == "none":
                self.out += data
            else:
                step = PAGE * CHUNK_PAGES
                chunks = [data[i : i + step] for i in range(0, len(data), step)]
                self.out += struct.pack("<I", len(chunks))
                for chunk in chunks:
                    packed = pack(chunk, self.how)
                    self.out += struct.pack("<II", len(packed), len(chunk)) + packed
            table.append((cpu, at, len(self.out) - at))
        head = struct.pack("<HHIQ", 3, int(self.how != "none"), 0, len(self.out) - start - 16)
        self.out[start : start + 16] = head
        return start, table

    def version7(self, cpus: dict[int, bytes]) -> bytes:
        self.out += MAGIC + b"7\0\0\x08" + struct.pack("<I", PAGE) + self.how.encode() + b"\0x\0"
        slot = len(self.out)
        self.out += bytes(8)
        at = {
            16: self.section(16, self.headers()),
            17: self.section(17, struct.pack("<I", 0)),
            18: self.section(18, self.formats()),
            19: self.section(19, struct.pack("<I", len(self.symbols)) + self.symbols),
            20: self.section(20, struct.pack("<I", 0)),
            21: self.section(21, struct.pack("<Q", len(self.names())) + self.names()),
        }
        buffer_at, table = self.pages(cpus)
        options = [(n, struct.pack("<Q", offset)) for n, offset in at.items()]
        options.append((4, f"[{self.meta.clock}]".encode() + b"\0"))
        options.append((5, self.meta.uname.encode() + b"\0"))
        options.append((8, struct.pack("<I", len(cpus))))
        body = struct.pack("<Q", buffer_at) + b"\0" + self.meta.clock.encode() + b"\0"
        body += struct.pack("<II", PAGE, len(table))
        for row in table:
            body += struct.pack("<IQQ", *row)
        options += [(3, body), (0, struct.pack("<Q", 0))]
        data = b"".join(struct.pack("<HI", n, len(b)) + b for n, b in options)
        self.out[slot : slot + 8] = struct.pack("<Q", len(self.out))
        self.out += struct.pack("<HHIQ", 0, 0, 0, len(data)) + data
        return bytes(self.out)

    def version6(self, cpus: dict[int, bytes]) -> bytes:
        self.out += MAGIC + b"6\0\0\x08" + struct.pack("<I", PAGE) + self.headers()
        self.out += struct.pack("<I", 0) + self.formats()
        self.out += struct.pack("<I", len(self.symbols)) + self.symbols + struct.pack("<I", 0)
        self.out += struct.pack("<Q", len(self.names())) + self.names()
        self.out += struct.pack("<I", max(cpus) + 1) + b"options  \0"
        for number, text in ((4, f"[{self.meta.clock}]"), (5, self.meta.uname)):
            body = text.encode() + b"\0"
            self.out += struct.pack("<HI", number, len(body)) + body
        self.out += struct.pack("<H", 0) + b"flyrecord\0"
        slot = len(self.out)
        self.out += bytes(16 * (max(cpus) + 1))
        for cpu, data in cpus.items():
            self.out += bytes(-len(self.out) % PAGE)
            struct.pack_into("<QQ", self.out, slot + 16 * cpu, len(self.out), len(data))
            self.out += data
        return bytes(self.out)


def unpacked(source: TraceDat) -> dict[int, np.ndarray]:
    """All pages of each CPU."""
    out = {}
    for cpu in source.cpus:
        parts = [pages for _, pages, _ in source._iter_pages(cpu)]
        out[cpu.cpu] = np.concatenate(parts)
    return out


def probed_symbols(trace: Trace) -> bytes:
    """The kallsyms lines of functions that hold an address recorded by a probe."""
    table = trace.meta.kallsyms
    symbols = read_symbols(table() if callable(table) else table)
    wanted = set()
    for name in trace.events():
        for key in ("__probe_ip", "__probe_func", "__probe_ret_ip", "caller"):
            if key in trace.fields(name):
                column = trace.columns(name, [key])[key]
                wanted.update(symbols.name_of(int(a)) for a in np.unique(column).tolist())
    names = (symbols.name_at(row) for row in range(symbols.places.size))
    rows = zip(symbols.addresses.tolist(), names, strict=True)
    lines = [f"{address:016x} t {name}\n" for address, name in rows if name in wanted]
    return "".join(lines).encode()


def cut_tracedat(args: argparse.Namespace) -> None:
    """Cut a trace.dat: the same stretch of time on every CPU."""
    source = open_tracedat(read_bytes(args.source), args.source)
    trace = Trace(RawBackend(source))
    counts = trace.events()
    whole = unpacked(source)
    first = whole[min(whole)].reshape(-1, PAGE)
    stamps = first[:, :8].copy().view("<u8").reshape(-1)
    low = int(stamps[args.skip])
    high = int(stamps[min(args.skip + args.pages, len(stamps) - 1)])
    cpus, kept = {}, {}
    for cpu, data in whole.items():
        pages = data.reshape(-1, PAGE)
        time = pages[:, :8].copy().view("<u8").reshape(-1)
        chosen = np.flatnonzero((time >= low) & (time < high))
        cpus[cpu] = pages[chosen].tobytes()
        kept[cpu] = (int(chosen[0]), int(chosen[-1]) + 1)
    used = {n for n, text, _ in source.meta.by_id.items() if _event_name(text) in counts}
    writer = Writer(source.meta, used, probed_symbols(trace), args.pack)
    data = writer.version6(cpus) if args.version == 6 else writer.version7(cpus)
    Path(args.target).write_bytes(data)
    if args.text:
        cut_text(args.text, source, whole, kept)
    print(f"{args.target}: {sum(map(len, cpus.values())) // PAGE} pages, {len(data):,} bytes")


def _event_name(text: bytes) -> str:
    return text.split(b"\n", 1)[0].partition(b":")[2].strip().decode()


def cut_text(
    files: list[str],
    source: TraceDat,
    whole: dict[int, np.ndarray],
    kept: dict[int, tuple[int, int]],
) -> None:
    """Keep the text lines of the pages kept: lines are counted per CPU, as events are."""
    from loadput.trace.pages import walk_pages

    bounds = {}
    for cpu, (start, stop) in kept.items():
        pages = walk_pages(whole[cpu], PAGE).page
        bounds[cpu] = (int((pages < start).sum()), int((pages < stop).sum()))
    seen = dict.fromkeys(bounds, 0)
    lines = []
    for line in bytes(read_bytes(files[0])).decode().splitlines(keepends=True):
        if line.startswith("#"):
            continue
        cpu = int(line.partition("[")[2].partition("]")[0])
        if bounds[cpu][0] <= seen[cpu] < bounds[cpu][1]:
            lines.append(line)
        seen[cpu] += 1
    Path(files[1]).write_bytes(lzma.compress("".join(lines).encode()))


def cut_perf(args: argparse.Namespace) -> None:
    """Cut a perf.data: the first records, the attributes and formats that they need."""
    data = read_bytes(args.source)
    source = open_perfdata(data, args.source)
    trace = Trace(RawBackend(source))
    records, count, pos = bytearray(), 0, source.start
    while pos < source.end and count < args.records:
        kind, _, size = struct.unpack_from("<IHH", data, pos)
        if kind < 64:
            records += data[pos : pos + size]
            count += 1
        pos += size
    # perf refuses a record of an attribute it cannot find, and an attribute without a format.
    used = {attr.config for attr in source.attrs if attr.type == 2}
    writer = Writer(source.meta, used, probed_symbols(trace), "none")
    tracing = MAGIC + b"0.6\0\0\x08" + struct.pack("<I", PAGE) + writer.headers()
    tracing += struct.pack("<I", 0) + writer.formats()
    tracing += struct.pack("<I", len(writer.symbols)) + writer.symbols + struct.pack("<I", 0)
    tracing += struct.pack("<Q", len(writer.names())) + writer.names()
    write_perf(args.target, data, source, bytes(records), tracing, used)
    print(f"{args.target}: {count} records, {Path(args.target).stat().st_size:,} bytes")


def write_perf(
    target: str, data: bytes, source: PerfData, records: bytes, tracing: bytes, used: set[int]
) -> None:
    """Write a perf.data in file mode, with the attributes of the events that are kept."""
    size, attrs_at = struct.unpack_from("<QQ", data, 16)
    attrs, ids = b"", b""
    for index, attr in enumerate(source.attrs):
        if attr.type != 2 or attr.config in used:
            own = np.array([n for n, i in source.by_id.items() if i == index], dtype="<u8")
            body = bytes(data[attrs_at + index * size : attrs_at + (index + 1) * size - 16])
            attrs += body + struct.pack("<QQ", 104 + len(ids), own.nbytes)
            ids += own.tobytes()
    release = source.meta.uname.split()[1].encode() + b"\0"
    attr_at = 104 + len(ids)
    data_at = -(-(attr_at + len(attrs)) // 8) * 8
    tracing_at = data_at + len(records) + 32
    out = b"PERFILE2" + struct.pack("<QQ", 104, size) + struct.pack("<QQ", attr_at, len(attrs))
    out += struct.pack("<QQ", data_at, len(records)) + bytes(16)
    out += struct.pack("<QQQQ", (1 << 1) | (1 << 4), 0, 0, 0) + ids + attrs
    out += bytes(data_at - len(out)) + records
    out += struct.pack("<QQ", tracing_at, len(tracing))
    out += struct.pack("<QQ", tracing_at + len(tracing), 4 + len(release))
    out += tracing + struct.pack("<I", len(release)) + release
    Path(target).write_bytes(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--skip", type=int, default=0, help="pages of the first CPU to leave out")
    parser.add_argument("--pages", type=int, default=40, help="pages of the first CPU to span")
    parser.add_argument("--records", type=int, default=4000, help="perf.data: records to keep")
    parser.add_argument("--version", type=int, choices=(6, 7), default=7)
    parser.add_argument("--pack", choices=("none", "zlib", "zstd"), default="zstd")
    parser.add_argument("--text", nargs=2, metavar=("IN", "OUT"), help="cut this text alike")
    args = parser.parse_args()
    with open(args.source, "rb") as file:
        is_perf = file.read(8) == b"PERFILE2"
    cut_perf(args) if is_perf else cut_tracedat(args)


if __name__ == "__main__":
    main()
