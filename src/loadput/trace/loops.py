"""The loops that touch every event, in the few words of Python that ``machine.py`` translates.

Everything is a 64-bit number; arrays are addresses. Python can run this file as it stands (slowly),
which is how the tests compare the machine code with it. The rules of ``walk_pages`` are the
kernel's (``struct ring_buffer_event``): a 32-bit word with 5 bits of type or length and 27 bits of
time delta; those of ``walk_chain`` are ``struct perf_event_header``'s.
"""

from __future__ import annotations

from .memory import i64, put8, put16, put32, put64, u8, u16, u32


def walk_pages(
    data: int, pages: int, page_bytes: int, header_bytes: int, sizes: int, cpu: int, seq: int,
    time: int, records: int, room: int, status: int,
) -> int:  # fmt: skip
    """Write one record per event of the pages at ``data``; return how many, -1 for more than room.

    ``sizes`` i64[pages]: committed bytes of each page, none above its own room. ``time`` i64[room],
    ``records`` [room], see ``pages.RECORD``. ``status`` i64[pages + 2], all 0: per page the address
    of an entry that leaves the page (the rest of it is dropped); then how many records are too
    short for an event's header, and where the first is.
    """
    count = 0
    page = 0
    while page < pages:
        base = data + page * page_bytes
        now = i64(base)
        msb = now & -0x0800000000000000  # an absolute stamp has 59 bits; the page has the rest
        at = base + header_bytes
        stop = at + ((i64(sizes + page * 8) + 3) & -4)
        while at < stop:
            word = u32(at)
            kind = word & 31
            delta = word >> 5
            body = at + 4
            size = kind * 4
            after = body + size
            if kind == 0 or kind > 28:
                size = 0
                if body < stop:
                    second = u32(body)
                elif kind == 29 and delta == 0:
                    second = 0
                else:
                    put64(status + page * 8, at)
                    break
                if kind == 0:  # the length, itself included, stands in the second word
                    body = at + 8
                    size = second - 4
                    after = at + 4 + ((second + 3) & -4)
                    if second < 5:
                        size = 0
                        after = body
                elif kind == 29:  # padding: the rest of the page, or a discarded event
                    after = at + 4 + ((second + 3) & -4)
                    if delta == 0:
                        after = stop
                    if delta == 1:  # as check_buffer() in kernel/trace/ring_buffer.c counts it
                        delta = 0
                elif kind == 30:
                    after = at + 8
                    delta = delta + (second << 27)
                else:
                    after = at + 8
                    now = msb | delta | (second << 27)
                    delta = 0
            now = now + delta
            if after > stop:
                put64(status + page * 8, at)
                break
            if kind < 29:
                if size < 8:
                    if i64(status + pages * 8) == 0:
                        put64(status + pages * 8 + 8, at)
                    put64(status + pages * 8, i64(status + pages * 8) + 1)
                else:
                    if count == room:
                        return 0 - 1
                    put64(time + count * 8, now)
                    put64(records, body)
                    put64(records + 8, seq + count)
                    put32(records + 16, size)
                    put16(records + 20, u16(body))
                    put16(records + 22, cpu)
                    records = records + 24
                    count = count + 1
            at = after
        page = page + 1
    return count


def walk_chain(
    data: int, pos: int, end: int, most: int, samples: int, others: int, state: int
) -> int:
    """Follow the perf records of ``data`` from byte ``pos`` on; return where it stopped.

    Offsets of samples and of other records go to the two i64 arrays, at most ``most`` each. Types
    in u8[256] at ``state`` + 32 end the walk. ``state`` i64: samples, others, why it stopped: 0
    the end or no more room, 1 such a record, 2 a size that makes no sense.
    """
    found = 0
    rest = 0
    why = 0
    while pos + 8 <= end and found < most and rest < most:
        kind = u16(data + pos)
        size = u16(data + pos + 6)
        if size < 8 or pos + size > end:
            why = 2
            break
        if kind == 9:
            put64(samples + found * 8, pos)
            found = found + 1
        else:
            if kind < 256:
                if u8(state + 32 + kind) != 0:
                    why = 1
                    break
            put64(others + rest * 8, pos)
            rest = rest + 1
        pos = pos + (size & -2)
    put64(state, found)
    put64(state + 8, rest)
    put64(state + 16, why)
    return pos


def read_samples(
    count: int, samples: int, data: int, layout: int, seqs: int, time: int, records: int
) -> int:
    """Write one record per perf sample that holds raw data; return how many.

    ``layout`` i64[8]: byte offsets of CPU and time in a sample (-1: none) and of what follows the
    fixed items; bytes of READ, of a group's without and per member; 1 where a CALLCHAIN follows;
    then how many samples do not fit, and the offset of the first. ``seqs`` i64[65536]: samples of
    each CPU so far.
    """
    cpu_at = i64(layout)
    time_at = i64(layout + 8)
    kept = 0
    done = 0
    while done < count:
        sample = data + i64(samples + done * 8)
        end = sample + u16(sample + 6)
        raw = sample + i64(layout + 16)
        if i64(layout + 32) != 0 and raw + 8 <= end:
            raw = raw + i64(layout + 24) + i64(layout + 32) * (i64(raw) & 0xFFFF)
        else:
            raw = raw + i64(layout + 24)
        if i64(layout + 40) != 0 and raw + 8 <= end:
            raw = raw + 8 + 8 * (i64(raw) & 0xFFFF)
        size = 0
        if raw + 4 <= end:
            size = u32(raw)
        if size < 8 or raw + 4 + size > end:
            if i64(layout + 48) == 0:
                put64(layout + 56, sample - data)
            put64(layout + 48, i64(layout + 48) + 1)
        else:
            now = 0
            if time_at >= 0:
                now = i64(sample + time_at)
            cpu = 0xFFFF
            if cpu_at >= 0:
                cpu = u32(sample + cpu_at) & 0xFFFF
            put64(time + kept * 8, now)
            put64(records, raw + 4)
            put64(records + 8, i64(seqs + cpu * 8))
            put64(seqs + cpu * 8, i64(seqs + cpu * 8) + 1)
            put32(records + 16, size)
            put16(records + 20, u16(raw + 4))
            put16(records + 22, cpu)
            records = records + 24
            kept = kept + 1
        done = done + 1
    return kept


def tally(count: int, time: int, records: int, counts: int, lows: int, highs: int) -> int:
    """Count events in ``counts`` i64[65536], keep the least and greatest time of each CPU."""
    done = 0
    while done < count:
        now = i64(time + done * 8)
        cpu = u16(records + 22) * 8
        kind = counts + u16(records + 20) * 8
        put64(kind, i64(kind) + 1)
        if now < i64(lows + cpu):
            put64(lows + cpu, now)
        if now > i64(highs + cpu):
            put64(highs + cpu, now)
        records = records + 24
        done = done + 1
    return done


def decode(heap: int, live: int, slots: int, plans: int, fields: int) -> int:
    """Write the wanted fields of several runs of records to their columns, merged by time.

    ``heap`` i64[live] are addresses of runs, the one whose next record comes first in front. A run
    is i64[3]: addresses of its next time, its next record, the end of its times. ``slots``
    u16[65536]: event number -> 1 + its plan, 0: not wanted. A plan is i64[12]: next row, first and
    last + 1 of its fields, bytes that a record must have, a record that has fewer (0: none),
    columns of time, CPU, seq, pid, flags, preempt depth, how many rows they have. A field is
    i64[4]: 1, 2, 4, 8 for a number's width, 0 for text, 9 for the record itself (see
    ``pages.RECORD``), 11 for a hash of its bytes; its offset, its column, its bytes.
    """
    done = 0
    while live > 0:
        run = i64(heap)
        time = i64(run)
        record = i64(run + 8)
        done = done + 1
        slot = u16(slots + u16(record + 20) * 2)
        plan = plans + (slot - 1) * 96
        if slot != 0 and i64(plan) < i64(plan + 88):
            to = i64(plan)
            put64(plan, to + 1)
            at = i64(record)
            put64(i64(plan + 40) + to * 8, i64(time))
            put16(i64(plan + 48) + to * 2, u16(record + 22))
            put64(i64(plan + 56) + to * 8, i64(record + 8))
            put32(i64(plan + 64) + to * 4, u32(at + 4))
            put8(i64(plan + 72) + to, u8(at + 2))
            put8(i64(plan + 80) + to, u8(at + 3))
            field = fields + i64(plan + 8) * 32
            stop = fields + i64(plan + 16) * 32
            if u32(record + 16) < i64(plan + 24):
                put64(plan + 32, record)
                stop = field
            while field < stop:
                how = i64(field)
                src = at + i64(field + 8)
                dst = i64(field + 16)
                field = field + 32
                if how == 8:
                    put64(dst + to * 8, i64(src))
                elif how == 4:
                    put32(dst + to * 4, u32(src))
                elif how == 1:
                    put8(dst + to, u8(src))
                elif how == 2:
                    put16(dst + to * 2, u16(src))
                elif how == 9:
                    dst = dst + to * 24
                    put64(dst, at)
                    put64(dst + 8, i64(record + 8))
                    put64(dst + 16, i64(record + 16))
                elif how == 11:
                    last = at + u32(record + 16)
                    value = 0
                    while src < last:
                        value = ((value ^ u8(src)) * 0x100000001B3) & 0x7FFFFFFFFFFFFFFF
                        src = src + 1
                    put64(dst + to * 8, value)
                else:  # bytes behind the NUL are whatever the kernel's buffer held before
                    size = i64(field - 8)
                    dst = dst + to * size
                    last = src + size
                    keep = -1
                    while src + 8 <= last:
                        word = i64(src) & keep
                        zero = (word - 0x0101010101010101) & ~word & -0x7F7F7F7F7F7F7F80
                        if zero != 0:
                            word = word & ((zero & (0 - zero)) - 1)
                            keep = 0
                        put64(dst, word)
                        src = src + 8
                        dst = dst + 8
                    while src < last:
                        byte = u8(src) & keep
                        if byte == 0:
                            keep = 0
                        put8(dst, byte)
                        src = src + 1
                        dst = dst + 1
        time = time + 8
        put64(run, time)
        put64(run + 8, record + 24)
        if time == i64(run + 16):
            live = live - 1
            put64(heap, i64(heap + live * 8))
        # The first run goes down to where its next time belongs; of one time the first run wins.
        moving = i64(heap)
        here = 0
        child = 1
        while child < live:
            next = i64(heap + child * 8)
            if child + 1 < live:
                right = i64(heap + child * 8 + 8)
                if i64(i64(right)) < i64(i64(next)) or (
                    i64(i64(right)) == i64(i64(next)) and right < next
                ):
                    child = child + 1
                    next = right
            if i64(i64(moving)) < i64(i64(next)) or (
                i64(i64(moving)) == i64(i64(next)) and moving < next
            ):
                break
            put64(heap + here * 8, next)
            here = child
            child = here * 2 + 1
        put64(heap + here * 8, moving)
    return done
