"""One function's syntax tree to IR: `lowering` with the names of `vocab`."""

from __future__ import annotations

from ..base.errors import SourceError
from ..ir import ops as o
from ..ir.decls import Decls
from . import syntax as s
from .infer import adopt_signature, infer_fields
from .lowering import Lowering
from .place import Note
from .vocab import WORDS

__all__ = ["Note", "lower"]


def lower(
    d: s.Def,
    decls: Decls,
    *,
    infer: bool = False,
    notes: list[Note] | None = None,
    lenient: bool = False,
) -> o.Function:
    """Return the IR of ``d``; raises SourceError (LP02xx) naming the place.

    C takes the parameter types of the program's function of that name, and what it reads or
    writes outside the program's state is any value or dropped; each case goes to ``notes``.

    :param infer: add unknown fields of known structs to ``decls`` (user C), reported there; for
        functions that share fields, `infer_fields` with all of them comes first
    :param notes: gets what was left out of the model
    :param lenient: a statement of C's without a meaning here is left out, and noted
    """
    try:
        if d.lang == "c":
            d = adopt_signature(d, decls)
            if infer:
                infer_fields([d], decls)
        return Lowering(d, decls, WORDS, infer, notes, lenient).run()
    except RecursionError:
        raise SourceError(
            "LP0225",
            f"function {d.name} is nested too deep",
            span=d.span,
            expected="a chain of at most a few hundred operators",
        ) from None
