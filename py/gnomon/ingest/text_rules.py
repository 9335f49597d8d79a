"""Rules on text that must be readable: identifiers in a plain form, words without hidden or look-alike characters."""

from __future__ import annotations

from sqlglot import exp

from gnomon.core.contract import Column

# Longer than any key or keyed hash, and than any word or note of a source.
LONGEST_ID, LONGEST_TEXT = 128, 4_000
# The contract's word `id`: what it names ends so, and a test holds the two together.
_ID_ENDINGS = ("_id", "_hash")
_PLAIN_ID = f"[!-~]{{1,{LONGEST_ID}}}"
_UNREADABLE = "|".join(
    (
        # Control characters but tab and line ends, and the mark of a character that was lost.
        r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{FFFD}]",
        # Characters without width, and marks that turn the direction of writing.
        r"[\x{AD}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]",
        # White space around the word.
        r"^[\s\x{A0}\x{3000}]|[\s\x{A0}\x{3000}]$",
        # Letters of two scripts that look alike within one word.
        r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}",
        # Letters and digits in full width, and mathematical ones.
        r"[\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{1D400}-\x{1D7FF}]",
    )
)


def is_identifier(column: Column) -> bool:
    """Tell whether the contract calls the column an `id`."""
    return column.duckdb_type == "VARCHAR" and column.name.endswith(_ID_ENDINGS)


def is_open_text(column: Column) -> bool:
    """Tell whether the column holds words that no list of the contract bounds."""
    return column.duckdb_type == "VARCHAR" and not column.values and not is_identifier(column)


def write_unreadable_id(name: exp.Expr) -> exp.Expr:
    """Return the condition that `name` is not 1 to 128 visible ASCII characters."""
    is_plain = exp.Anonymous(this="regexp_full_match", expressions=[name, exp.Literal.string(_PLAIN_ID)])
    return exp.Not(this=is_plain)


def write_unreadable_text(name: exp.Expr) -> exp.Expr:
    """Return the condition that `name` is empty, too long, has hidden or mixed characters, or is not in form NFC."""
    size = exp.Anonymous(this="strlen", expressions=[name])
    found = exp.Anonymous(this="regexp_matches", expressions=[name.copy(), exp.Literal.string(_UNREADABLE)])
    normal = exp.Anonymous(this="nfc_normalize", expressions=[name.copy()])
    # A case stops at the first answer: no pattern is tried on a text of megabytes.
    return (
        exp.Case(ifs=[])
        .when(exp.Not(this=exp.Between(this=size, low=_number(1), high=_number(LONGEST_TEXT))), exp.true())
        .else_(exp.or_(found, exp.NEQ(this=name.copy(), expression=normal)))
    )


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)
