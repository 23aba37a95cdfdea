"""What a user may give: mails, series, diffs, C files; and what is no use, said in one message."""
# ruff: noqa: E101

from __future__ import annotations

import base64
import gzip
import os
import pickle
import time
from pathlib import Path

import pytest

from loadput.base.errors import InputError, LoadputError, SourceError
from loadput.lang.inputs import Patch, read_input, read_inputs, read_text

HERE = Path(__file__).parent / "fixtures"
SEED = Path(__file__).parents[3] / "shared" / "seed"

OLD = """#include <linux/x.h>

static int keep(int a)
{
	return a;
}

static void park(struct kvm_vcpu *vcpu)
{
	int a = 1;

	first(vcpu, a);
	second(vcpu);
	third(vcpu);
	fourth(vcpu);
	fifth(vcpu);
	sixth(vcpu);
}

static void leave(struct kvm_vcpu *vcpu)
{
	last(vcpu);
}
"""
HUNK = """--- a/virt/kvm/park.c
+++ b/virt/kvm/park.c
@@ -11,7 +11,7 @@ static void park(struct kvm_vcpu *vcpu)

 	first(vcpu, a);
 	second(vcpu);
-	third(vcpu);
+	WRITE_ONCE(vcpu->parked, true);
 	fourth(vcpu);
 	fifth(vcpu);
 	sixth(vcpu);
"""
REMOVE = """--- a/virt/kvm/park.c
+++ b/virt/kvm/park.c
@@ -17,7 +17,3 @@ static void park(struct kvm_vcpu *vcpu)
 	sixth(vcpu);
 }

-static void leave(struct kvm_vcpu *vcpu)
-{
-	last(vcpu);
-}
"""
HEADER = """diff --git a/include/linux/kvm_host.h b/include/linux/kvm_host.h
--- a/include/linux/kvm_host.h
+++ b/include/linux/kvm_host.h
@@ -3,3 +3,4 @@ struct kvm_vcpu {
 	bool ready;
+	bool parked;
 	int a;
 	int b;
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A kernel tree of two files."""
    (tmp_path / "virt/kvm").mkdir(parents=True)
    (tmp_path / "virt/kvm/park.c").write_text(OLD)
    (tmp_path / "include/linux").mkdir(parents=True)
    host = "// line\nstruct kvm_vcpu {\n\tbool ready;\n\tint a;\n\tint b;\n};\n"
    (tmp_path / "include/linux/kvm_host.h").write_text(host)
    return tmp_path


def names(patch: Patch) -> list[str]:
    return [f.name for f in patch.functions]


def message(subject: str, text: str, *headers: str) -> str:
    head = ["From 0123456789abcdef Mon Sep 17 00:00:00 2001", "From: A <a@example.org>"]
    return "\n".join([*head, "Date: Mon, 3 Jun 2024 10:00:00 +0000", f"Subject: {subject}",
                      *headers, "", text, "-- ", "2.45.0", "", ""])  # fmt: skip


def failure(text: str, name: str = "in.txt", tree: Path | None = None) -> LoadputError:
    with pytest.raises(LoadputError) as e:
        for p in read_text(text, name, tree):
            p.parse()
    assert "Traceback" not in str(e.value) and str(e.value).startswith("error[LP02")
    assert pickle.loads(pickle.dumps(e.value)).render() == e.value.render()
    return e.value


# mail


def test_read_input_mail_takes_the_authors_functions_and_no_others() -> None:
    (p,) = read_input(HERE / "mail.txt")
    assert (p.kind, names(p)) == ("mail", ["kvm_sched_in", "kvm_sched_out"])
    assert [(f.lines[0].number, f.lines[-1].number) for f in p.functions] == [(22, 28), (30, 37)]
    assert p.title == "[RFC] KVM: mark a vCPU whose task has left its CPU"
    assert p.notes == (
        "10 quoted lines are not code",
        "signature from line 41 is not code",
    )


def test_read_input_mail_places_point_into_the_mail() -> None:
    (p,) = read_input(HERE / "mail.txt")
    lines = (HERE / "mail.txt").read_text().split("\n")
    for d in p.parse():
        assert d.origin == "user:mail.txt"
        assert lines[d.span.line - 1][d.span.col - 1 :].startswith(d.name)
        for st in d.body:
            row = lines[st.span.line - 1]
            first = row[st.span.col - 1 : st.span.col - 1 + st.span.length]
            assert first.strip(), st


def test_read_input_seed_mail_yields_its_two_functions() -> None:
    found = sorted(SEED.glob("*.txt"))
    if not found:
        pytest.skip("the mail that the project starts from is not on this machine")
    (p,) = read_input(found[0])
    where = [(f.name, f.lines[0].number, f.lines[-1].number) for f in p.functions]
    assert where == [("kvm_sched_in", 66, 77), ("kvm_sched_out", 79, 92)]
    assert [len(d.body) for d in p.parse()] == [6, 5]
    assert p.notes[-1] == "list footer from line 96 is not code"


def test_read_text_code_only_in_quotes_is_named_and_not_used() -> None:
    e = failure("Hi,\n\n> void f(void)\n> {\n> \tg();\n> }\n\nNice.\n")
    assert isinstance(e, InputError) and e.code == "LP0230"
    assert "f (line 3)" in str(e) and "'> '" in str(e)


def test_read_text_prose_with_brackets_is_no_code() -> None:
    text = 'Why call foo() { here }?  It\'s "odd {", as arch/*/kvm does if (x) { y(); }\n'
    assert failure(text).code == "LP0230"


def test_read_text_mail_cut_inside_a_function_names_it() -> None:
    text = (HERE / "mail.txt").read_text()
    e = failure(text[: text.index("kvm_arch_vcpu_put")])
    assert isinstance(e, SourceError) and e.code == "LP0221"
    assert "kvm_sched_out" in str(e) and e.span is not None and e.span.line == 32


def test_read_text_indented_and_dos_lines_are_read() -> None:
    text = "I mean:\n\n    static void f(int a)\n    {\n        g(a);\n    }\n"
    for given in (text, text.replace("\n", "\r\n"), text.replace("    ", "\u00a0\u00a0\u00a0 ")):
        (p,) = read_text(given, "m.txt")
        (d,) = p.parse()
        assert (d.name, d.span.line, d.span.col) == ("f", 3, 17)


# diffs


def test_read_text_diff_is_applied_to_the_tree(tree: Path) -> None:
    (p,) = read_text(HUNK, "park.diff", tree)
    assert (p.kind, names(p), p.removed) == ("diff", ["park"], ())
    (d,) = p.parse()
    assert [str(st.span) for st in d.body[1:4]] == [
        "virt/kvm/park.c:12:2",
        "virt/kvm/park.c:13:2",
        "park.diff:8:3",
    ]


def test_read_text_diff_applies_at_another_line(tree: Path) -> None:
    (p,) = read_text(HUNK.replace("-11,7 +11,7", "-311,7 +309,7"), "park.diff", tree)
    assert names(p) == ["park"]


def test_read_text_diff_that_does_not_apply_names_hunk_and_line(tree: Path) -> None:
    e = failure(HUNK.replace("-	third", "-	thirty"), "park.diff", tree)
    assert e.code == "LP0234" and "hunk 1 of virt/kvm/park.c" in str(e)
    assert e.span is not None and e.span.line == 7


def test_read_text_diff_without_a_tree_asks_for_it() -> None:
    e = failure(HUNK, "park.diff")
    assert e.code == "LP0236" and "--tree DIR" in str(e) and "park" in str(e)


def test_read_text_diff_with_whole_functions_needs_no_tree() -> None:
    lines = OLD.split("\n")[:-1]
    at = lines.index("static void leave(struct kvm_vcpu *vcpu)")
    hunk = [" " + t for t in lines[at:]]
    hunk.insert(2, "+\tfirst_of_all(vcpu);")
    head = f"--- a/x.c\n+++ b/x.c\n@@ -{at + 1},4 +{at + 1},5 @@\n"
    (p,) = read_text(head + "\n".join(hunk) + "\n", "x.diff")
    assert names(p) == ["leave"] and [str(st.span) for st in p.parse()[0].body] == [
        "x.diff:6:3",
        "x.diff:7:3",
    ]


def test_read_text_new_file_needs_no_tree() -> None:
    body = "".join(f"+{t}\n" for t in OLD.split("\n")[:-1])
    n = OLD.count("\n")
    (p,) = read_text(f"--- /dev/null\n+++ b/x.c\n@@ -0,0 +1,{n} @@\n{body}", "x.diff")
    assert names(p) == ["keep", "park", "leave"]


def test_read_text_removed_function_is_said(tree: Path) -> None:
    (p,) = read_text(REMOVE, "x.diff", tree)
    assert [(f.name, f.path) for f in p.removed] == [("leave", "virt/kvm/park.c")]


def test_read_text_field_added_in_a_header_is_a_hint(tree: Path) -> None:
    (p,) = read_text(HEADER + HUNK, "x.diff", tree)
    ((f,),) = (p.fields,)
    assert (f.struct, f.name, f.ctype, f.place) == ("kvm_vcpu", "parked", "bool", "x.diff:6")


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("static DEFINE_PER_CPU(struct kvm_vcpu *, last);", ("last", "per_cpu struct kvm_vcpu *")),
        ("DECLARE_PER_CPU(bool, last);", ("last", "per_cpu bool")),
        ("static struct kvm_vcpu *last;", ("last", "struct kvm_vcpu *")),
        ("static bool last = false;", ("last", "bool")),
        ("static bool last = true;", None),
        ("static int last(void);", None),
        ("DEFINE_PER_CPU(int, last) = 1;", None),
    ],
)
def test_read_text_variable_that_begins_at_0_is_a_hint(
    line: str, want: tuple[str, str] | None
) -> None:
    body = "".join(f"+{t}\n" for t in (line, "", *OLD.split("\n")[:-1]))
    n = OLD.count("\n") + 2
    (p,) = read_text(f"--- /dev/null\n+++ b/x.c\n@@ -0,0 +1,{n} @@\n{body}", "x.diff")
    assert [(f.struct, f.name, f.ctype) for f in p.fields] == ([("", *want)] if want else [])


@pytest.mark.parametrize("drop", [1, 2, 5])
def test_read_text_truncated_diff_is_an_error(drop: int, tree: Path) -> None:
    cut = "\n".join(HUNK.split("\n")[: -1 - drop]) + "\n"
    e = failure(cut, "x.diff", tree)
    assert e.code == "LP0232" and "virt/kvm/park.c" in str(e)


def test_read_text_diff_that_a_mailer_wrapped_is_an_error(tree: Path) -> None:
    e = failure(HUNK.replace("WRITE_ONCE(vcpu->parked, true)", "WRITE_ONCE(a,\nb)"), "x", tree)
    assert e.code == "LP0233" and e.span is not None and e.span.line == 9


def test_read_text_file_that_the_tree_lacks_is_named(tree: Path) -> None:
    e = failure(HUNK.replace("park.c", "gone.c"), "x.diff", tree)
    assert e.code == "LP0235" and "virt/kvm/gone.c" in str(e)


def test_read_text_path_out_of_the_tree_is_refused(tree: Path) -> None:
    outside = os.path.relpath(__file__, tree)
    e = failure(HUNK.replace("virt/kvm/park.c", outside.replace(".py", ".c")), "x.diff", tree)
    assert e.code == "LP0235"


def test_read_text_mail_with_a_diff_in_it_reads_the_diff(tree: Path) -> None:
    text = "Subject line\n\nWhat about this?\n\n" + HUNK + "\nIt compiles.\n"
    (p,) = read_text(text, "m.txt", tree)
    assert (p.kind, names(p)) == ("mail", ["park"])


def test_a_field_that_has_another_name_is_the_same_also_where_a_hunk_has_no_heading(
    tree: Path,
) -> None:
    """What diff writes without -p: the tree says which struct the hunk is in."""
    renamed = HEADER.replace(" 	int a;", "-	int a;").replace(
        "+	bool parked", "+	int parked"
    )
    renamed = renamed.replace("-3,3 +3,4", "-3,3 +3,3")
    for text in (renamed, renamed.replace(" struct kvm_vcpu {", "")):
        (p,) = read_text(text + HUNK, "in.diff", tree)
        assert p.near.renamed_fields == {"parked": "a"}


# series


def series() -> str:
    quote = "".join(f"> {t}\n" for t in HUNK.split("\n"))
    undo = HUNK.replace("-	third", "-	WRITE_ONCE(vcpu->parked, true)").replace(
        "(vcpu);\n+	W", ";\n+	W"
    )
    undo = undo.replace("+	WRITE_ONCE(vcpu->parked, true)", "+	third(vcpu)")
    return (
        message("[PATCH 2/2] KVM: two", undo)
        + message("[PATCH 0/2] KVM: a series", "What it is about.\n")
        + message("Re: [PATCH 1/2] KVM: one", "On Monday, B wrote:\n" + quote + "\nOk.\n")
        + message("[PATCH 1/2] KVM: one", "Why.\n---\n" + HEADER + HUNK)
    )


def test_read_text_series_is_sorted_and_applied_patch_on_patch(tree: Path) -> None:
    first, second = read_text(series(), "s.mbox", tree)
    assert [first.title, second.title] == ["[PATCH 1/2] KVM: one", "[PATCH 2/2] KVM: two"]
    assert {first.kind, second.kind} == {"mbox patch"}
    assert "WRITE_ONCE" in first.functions[0].text and "third" in second.functions[0].text
    assert first.notes[0] == "cover letter without code skipped: [PATCH 0/2] KVM: a series"
    assert first.notes[1].startswith("reply without code skipped: Re: ")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_read_text_encoded_patch_is_decoded(encoding: str, tree: Path) -> None:
    body = HUNK.replace("true", "true /* é */")
    if encoding == "base64":
        body = base64.encodebytes(body.encode()).decode()
    elif encoding == "quoted-printable":
        body = body.replace("=", "=3D").replace("é", "=C3=A9")
    kind = ("Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}")
    text = message("[PATCH] KVM: encoded", "BODY", *kind).replace("BODY\n-- \n2.45.0\n", body)
    (p,) = read_text(text, "p.mbox", tree)
    (d,) = p.parse()
    place = d.body[3].span.file
    assert names(p) == ["park"] and place == ("p.mbox" if encoding == "8bit" else
                                              "p.mbox[message 1, decoded]")  # fmt: skip


def test_read_input_gzip_mbox(tree: Path, tmp_path: Path) -> None:
    at = tmp_path / "t.mbox.gz"
    at.write_bytes(gzip.compress(series().encode()))
    assert len(read_input(at, tree)) == 2


# bad input


def bad_files() -> dict[str, bytes]:
    return {
        "empty": b"",
        "blank": b"  \n\t\n",
        "nul": bytes(10_000_000),
        "binary": bytes(range(256)) * 50,
        "one line": b"x" * 3_000_000,
        "many lines": b"{\n" * 400_000,
        "long lines": (b"a(" * 9_000 + b"\n") * 100,
        "no code": b"Hi,\n\nlooks good.\n\nReviewed-by: me\n",
        "broken gzip": b"\x1f\x8b\x08\x00abc",
        "cut gzip": gzip.compress(b"void f(void) { g(); }\n" * 99)[:40],
        "diff head": b"diff --git a/x.c b/x.c\n",
        "deep": b"void f(void)\n{\n\tx = " + b"(" * 9_000 + b"1" + b")" * 9_000 + b";\n}\n",
        "chain": b"void f(void)\n{\n\tx = " + b"1+" * 9_000 + b"1;\n}\n",
        "huge function": b"void f(void)\n{\n" + b"\tg();\n" * 50_000 + b"}\n",
        "open comment": b"void f(void)\n{\n\t/* never closed\n}\n",
    }


@pytest.mark.parametrize("name", bad_files())
def test_read_input_bad_file_is_one_message_within_a_second(name: str, tmp_path: Path) -> None:
    at = tmp_path / "in.txt"
    at.write_bytes(bad_files()[name])
    start = time.process_time()
    with pytest.raises(LoadputError) as e:
        for p in read_input(at):
            p.parse()
    assert time.process_time() - start < 1
    assert (e.value.exit_code, e.value.code[:4]) == (2, "LP02")
    assert all(len(line) < 400 for line in str(e.value).split("\n")[1:]) or e.value.line_text


def test_read_input_missing_file_and_folder(tmp_path: Path) -> None:
    for at in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError, match="cannot read"):
            read_input(at)
    with pytest.raises(InputError, match="no such directory"):
        read_input(HERE / "mail.txt", tmp_path / "none")


def test_read_text_c_file_without_functions() -> None:
    assert failure("int a;\n", "x.c").code == "LP0230"


@pytest.mark.parametrize(
    "head",
    [
        "static acpi_status f(int a)",
        "static __new_annotation void f(int a)",
        "fastpath_t f(int a)",
        "enum hrtimer_restart f(int a)",
        "struct kvm_vcpu *f(int a)",
        "unsigned long\nf(int a)",
        "void __weak noinline f(int a) __must_hold(&lock)",
    ],
)
def test_read_text_mail_finds_a_definition_by_its_head(head: str) -> None:
    (p,) = read_text(f"Like this:\n{head}\n{{\n\tg(a);\n}}\nOr not.\n", "m.txt")
    assert names(p) == ["f"]


# as git am and patch take them


def test_read_inputs_a_directory_stands_for_its_patches_in_order(tree: Path) -> None:
    at = tree / "patches"
    at.mkdir()
    (at / "0000-cover.patch").write_text(message("[PATCH 0/2] park", "What it is for.\n"))
    (at / "0001-a.patch").write_text(message("[PATCH 1/2] park: set it", HUNK))
    second = HUNK.replace("-	third(vcpu);", "-	WRITE_ONCE(vcpu->parked, true);").replace(
        "+	WRITE_ONCE(vcpu->parked, true);", "+	WRITE_ONCE(vcpu->parked, false);"
    )
    (at / "0002-b.patch").write_text(message("[PATCH 2/2] park: clear it", second))
    got = [p.title for p in read_inputs([at], tree)]
    assert got[-2:] == ["[PATCH 1/2] park: set it", "[PATCH 2/2] park: clear it"]


def test_read_text_a_file_that_is_changed_twice_is_two_patches(tree: Path) -> None:
    head = "diff --git a/virt/kvm/park.c b/virt/kvm/park.c\n"
    second = HUNK.replace("-	third(vcpu);", "-	WRITE_ONCE(vcpu->parked, true);").replace(
        "+	WRITE_ONCE(vcpu->parked, true);", "+	leave_it(vcpu);"
    )
    one, two = read_text(head + HUNK + head + second, "both.diff", tree)
    assert "WRITE_ONCE(vcpu->parked, true)" in one.functions[0].text
    assert "leave_it(vcpu)" in two.functions[0].text


def test_read_text_git_log_is_read_from_the_oldest(tree: Path) -> None:
    head = "diff --git a/virt/kvm/park.c b/virt/kvm/park.c\n"
    second = HUNK.replace("-	third(vcpu);", "-	WRITE_ONCE(vcpu->parked, true);").replace(
        "+	WRITE_ONCE(vcpu->parked, true);", "+	leave_it(vcpu);"
    )
    log = "".join(
        f"commit {c * 40}\nAuthor: A <a@example.org>\nDate:   Mon Jun 3 10:0{n}:00 2024 +0000\n\n"
        f"    park: {n}\n\n{head}{body}\n"
        for c, n, body in (("b", 2, second), ("a", 1, HUNK))
    )
    assert [p.title for p in read_text(log, "log.txt", tree)] == ["park: 1", "park: 2"]


def test_read_text_a_tree_that_has_the_patch_already(tree: Path) -> None:
    at = tree / "virt/kvm/park.c"
    at.write_text(OLD.replace("third(vcpu);", "WRITE_ONCE(vcpu->parked, true);"))
    (p,) = read_text(HUNK, "park.diff", tree)
    assert "third(vcpu)" in p.before[0].text and "WRITE_ONCE" in p.functions[0].text
    assert any("the tree has this change already" in n for n in p.notes)


def test_read_text_context_that_is_another_by_now_is_taken_with_a_note(tree: Path) -> None:
    (p,) = read_text(HUNK.replace(" 	sixth(vcpu);", " 	sixth(vcpu, 1);"), "x.diff", tree)
    assert names(p) == ["park"] and any("with fuzz 1" in n for n in p.notes)


def test_read_text_a_renamed_head_is_found_where_the_lines_around_it_are_others(tree: Path) -> None:
    text = (
        "--- a/virt/kvm/park.c\n+++ b/virt/kvm/park.c\n@@ -20,5 +20,5 @@ static int keep(int a)\n"
        " #endif\n \n-static void leave(struct kvm_vcpu *vcpu)\n"
        "+static void leave_it(struct kvm_vcpu *vcpu)\n {\n 	what_was_here_then(vcpu);\n"
    )
    (p,) = read_text(text, "x.diff", tree)
    assert len(p.functions) == 1 and any("with fuzz 1" in n for n in p.notes)


def test_read_text_the_one_place_in_the_function_that_the_hunk_names(tree: Path) -> None:
    at = tree / "virt/kvm/park.c"
    body = "\n{\n	first(vcpu);\n	return 0;\n}\n\n"
    heads = [f"static int {n}(struct kvm_vcpu *vcpu)" for n in ("one", "two", "three")]
    at.write_text("".join(h + body for h in heads))
    text = (
        "--- a/virt/kvm/park.c\n+++ b/virt/kvm/park.c\n"
        "@@ -3,4 +3,4 @@ static int two(struct kvm_vcpu *vcpu)\n"
        " 	what_was_here_then(vcpu);\n-	return 0;\n+	return 1;\n }\n \n"
    )
    (p,) = read_text(text, "x.diff", tree)
    assert names(p) == ["two"] and "return 1" in p.functions[0].text


def test_read_text_tabs_turned_to_spaces_are_said(tree: Path) -> None:
    (p,) = read_text(HUNK.replace("\t", "        "), "x.diff", tree)
    assert names(p) == ["park"] and any("tabs turned to spaces" in n for n in p.notes)


@pytest.mark.parametrize(
    ("old", "new"), [("a/virt", "virt"), ("a/virt", "linux.orig/virt"), ("a/virt", "/home/x/virt")]
)
def test_read_text_paths_with_any_number_of_parts_in_front(tree: Path, old: str, new: str) -> None:
    text = HUNK.replace(old, new).replace("b/virt", new.replace(".orig", ""))
    (p,) = read_text(text, "x.diff", tree)
    assert p.functions[0].path == "virt/kvm/park.c"


def test_read_text_an_attachment_of_any_type_that_holds_a_diff(tree: Path) -> None:
    packed = base64.encodebytes(HUNK.encode()).decode()
    parts = (
        "--B\nContent-Type: text/plain\n\nSee the file.\n"
        "--B\nContent-Type: application/octet-stream\n"
        f"Content-Transfer-Encoding: base64\n\n{packed}\n--B--\n"
    )
    head = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"'
    (p,) = read_text(message("[PATCH] park", parts, head), "m.eml", tree)
    assert names(p) == ["park"]


def test_read_text_a_change_of_comments_alone_says_so(tree: Path) -> None:
    text = HUNK.replace("+	WRITE_ONCE(vcpu->parked, true);", "+	third(vcpu); /* why */")
    (p,) = read_text(text, "x.diff", tree)
    assert (p.functions, p.only_comments) == ((), True)


def test_read_text_a_reply_that_quotes_a_patch_says_so() -> None:
    quoted = "\n".join("> " + t for t in HUNK.split("\n"))
    e = failure(message("Re: [PATCH] park", f"Looks good.\n\n{quoted}\n"), "m.eml")
    assert e.code == "LP0230" and "quotes a patch" in e.what
