"""The one tree of errors that Gnomon raises on purpose.

GnomonError
├── DefinitionError     the author's: a file of this project says something wrong
├── QueryError          the caller's: a question that cannot be answered as asked
│   └── StoppedError    the caller, or a limit of time, stopped it
├── AccessError         the caller may not see or do this
└── WarehouseError      outside: a file, a database or a raw set is not as it must be

Every text says what is wrong, where, what is allowed and the next step.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NAMES_SHOWN = 8
_CHARACTERS_SHOWN = 200


class GnomonError(Exception):
    """Base of all errors whose text is written for the person who reads it."""


class DefinitionError(GnomonError):
    """A definition (YAML, SQL, manifest) is wrong; its author must mend it."""


class QueryError(GnomonError):
    """A query cannot be answered as asked; the caller must ask differently."""


class StoppedError(QueryError):
    """A question was stopped before it was answered: its caller went away, or its time was over."""


class AccessError(GnomonError):
    """The caller may not see or do this."""


class WarehouseError(GnomonError):
    """Something outside (file, database, raw set) is not as it must be."""


def shorten(text: str) -> str:
    """Return the text as an error quotes it: its beginning, if it is long."""
    return text if len(text) <= _CHARACTERS_SHOWN else f"{text[: _CHARACTERS_SHOWN - 1]}…"


def suggest_nearest(word: str, allowed: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Return the allowed names nearest to `word`, best first, at most `limit` of them.

    A name that ends in the word's own last part (`tier` for `creator__tier`) is nearest.
    """
    # Sorted first, so that equally near names come in one order whatever the input's.
    names = sorted(set(allowed))
    same_end = [name for name in names if "__" in name and name.split("__")[-1] == word.split("__")[-1]]
    alike = difflib.get_close_matches(word, names, n=limit, cutoff=0.5)
    return tuple(dict.fromkeys([*same_end, *alike]))[:limit]


def explain_unknown(kind: str, word: str, allowed: Iterable[str]) -> str:
    """Return "unknown KIND 'WORD'. Did you mean …?", or the first names allowed if none is near."""
    names = sorted(set(allowed))
    near = suggest_nearest(word, names)
    if near:
        return f"unknown {kind} '{word}'. Did you mean {join_names(near, 'or')}?"
    if not names:
        return f"unknown {kind} '{word}'. There is none to choose from."
    if len(names) <= _NAMES_SHOWN:
        return f"unknown {kind} '{word}'. Known: {join_names(names, 'and')}."
    shown = ", ".join(f"'{name}'" for name in names[:_NAMES_SHOWN])
    return f"unknown {kind} '{word}'. Known: {shown} and {len(names) - _NAMES_SHOWN} more."


def join_names(names: Iterable[str], word: str) -> str:
    """Return the names quoted and joined as a sentence does: 'a', 'b' WORD 'c'."""
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"
