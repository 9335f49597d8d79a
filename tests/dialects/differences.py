"""Where engines differ, mostly in silence: one expression each, with the value that DuckDB gives, worked by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import inf, nan
from typing import Any

import sqlglot
from sqlglot import exp

from gnomon.planner.expressions import parse_column
from gnomon.planner.sql_parts import alias, select, table

DATABASE = "silent"
# One row; the second table has rows to be added up: a null, two great numbers, words of which bytes order B Z a é.
TABLES = """
create table hundred as select cast(range as integer) as place from range(1, 101);
create table one as select
    7 as whole, 0 as nought, -7 as negative, 2.5::double as half, -2.5::double as minus_half, 3.5::double as odd_half,
    0.125::double as eighth, 2.50::decimal(10, 2) as cents, 2.5::decimal(20, 10) as fine, 0.1::real as tenth,
    'Zebra' as word, null::varchar as nothing, '' as empty, 'a\\b' as slash, 'it''s' as quote,
    chr(160) || ' a' || chr(12288) as wide, 'éÀ中' as accents, true as flag,
    date '2024-01-07' as sunday, date '2024-03-31' as month_end, timestamp '2024-01-07 10:11:12.345678' as moment;
create table many as select * from (values
    (2147483647, 1.0::double, true, 'a'), (2147483647, 2.0, false, 'B'), (3, 3.0, null, 'Z'), (4, 10.0, true, 'é'),
    (null, null, null, null)
) as t(number, amount, flag, word);
"""
Difference = tuple[str, Any]
VALUES: dict[str, Difference] = {
    "division of whole numbers": ("whole / 2", 3.5),
    "division by zero": ("whole / nought", inf),
    "division of a negative number by zero": ("negative / nought", -inf),
    "zero by zero": ("nought / nought", nan),
    "division of real numbers is double": ("tenth / 1", 0.10000000149011612),
    "division by what is null instead of zero": ("whole / nullif(nought, 0)", None),
    "remainder": ("negative % 3", -1),
    "remainder by zero": ("whole % nought", None),
    "halves are rounded away from zero": ("round(half)", 3.0),
    "negative halves, too": ("round(minus_half)", -3.0),
    "halves at a place": ("round(eighth, 2)", 0.13),
    "halves of tens": ("round(whole * 5, -1)", 40),
    "halves of decimals": ("round(cents)", Decimal(3)),
    "a cast takes halves to the even side": ("cast(half as int)", 2),
    "both ways": ("cast(odd_half as int)", 4),
    "negative ones, too": ("cast(minus_half as int)", -2),
    "a cast of decimals takes halves away from zero": ("cast(cents as int)", 3),
    "floor of a negative number": ("floor(minus_half)", -3.0),
    "ceiling of infinity": ("ceil(whole / nought)", inf),
    "a power": ("negative ** 2", 49.0),
    "an exponential": ("exp(nought)", 1.0),
    "a logarithm": ("ln(exp(whole - 6))", 1.0),
    "a logarithm of null": ("ln(nullif(nought, 0))", None),
    "an absolute value": ("abs(minus_half)", 2.5),
    "a number with an exponent is floating": ("1e1 / 4", 2.5),
    "weeks begin on Monday": ("date_trunc('week', sunday)", datetime(2024, 1, 1)),
    "weeks of moments": ("date_trunc('week', moment)", datetime(2024, 1, 1)),
    "quarters": ("date_trunc('quarter', month_end)", datetime(2024, 1, 1)),
    "days": ("date_trunc('day', moment)", datetime(2024, 1, 7)),
    "hours": ("date_trunc('hour', moment)", datetime(2024, 1, 7, 10)),
    "milliseconds": ("date_trunc('millisecond', moment)", datetime(2024, 1, 7, 10, 11, 12, 345000)),
    "microseconds": ("date_trunc('microsecond', moment)", datetime(2024, 1, 7, 10, 11, 12, 345678)),
    "Sunday is the seventh day": ("extract(isodow from sunday)", 7),
    "the quarter of a day": ("extract(quarter from month_end)", 1),
    "the day of the year": ("extract(doy from month_end)", 91),
    "days between dates": ("month_end - sunday", 84),
    "a date and days": ("sunday + 1", date(2024, 1, 8)),
    "a month before the end of a long one": ("month_end - interval 1 month", datetime(2024, 2, 29)),
    "a quarter": ("sunday + interval 1 quarter", datetime(2024, 4, 7)),
    "minutes": ("moment + interval 90 minute", datetime(2024, 1, 7, 11, 41, 12, 345678)),
    "milliseconds of a span": ("moment - interval 345 millisecond", datetime(2024, 1, 7, 10, 11, 12, 678)),
    "a date beside a string": ("sunday >= '2024-01-07'", True),
    "a date beside a moment's string": ("sunday = '2024-01-07 13:00'", True),
    "a moment beside a short string": ("moment < '2024-1-8'", True),
    "a moment among strings": ("moment in ('2024-01-07 10:11:12.345678', '2024-01-08')", True),
    "a number beside a string": ("whole = '7'", True),
    "a string joined to a number": ("word || '-' || whole", "Zebra-7"),
    "a string joined to a boolean": ("word || flag", "Zebratrue"),
    "a string joined to null": ("word || nothing", None),
    "an empty string is no null": ("coalesce(empty, 'x')", ""),
    "capitals come before small letters": ("word < 'a'", True),
    "between by bytes": ("word between 'Z' and 'a'", True),
    "a backslash is a letter": ("slash like 'a\\b'", True),
    "and so it is beside signs": ("slash like '%\\_'", True),
    "a quote": ("quote = 'it''s'", True),
    "a backslash in a string": ("slash = 'a\\b'", True),
    "like without regard to case": ("word ilike 'zEB%'", True),
    "like is otherwise strict": ("word like 'z%'", False),
    "wide spaces are trimmed": ("trim(wide)", "a"),
    "letters are counted, not bytes": ("length(accents)", 3),
    "small letters beyond ASCII": ("lower(accents)", "éà中"),
    "a null is distinct": ("nothing is distinct from 'a'", True),
    "nulls are not": ("nothing is not distinct from null", True),
    "a number as a condition": ("case when whole then 1 else 0 end", 1),
    "zero as a condition": ("not nought", True),
    "true as a number": ("cast(flag as int)", 1),
    "a number as true": ("cast(whole as boolean)", True),
    "nulls are left out of the greatest": ("greatest(nought, null, whole)", 7),
    "a case over values": ("case word when 'Zebra' then whole / 2 else 0 end", 3.5),
    "is true": ("(whole > 8) is true", False),
}
TOTALS: dict[str, Difference] = {
    "a sum beyond the range of its numbers": ("sum(number)", 4294967301),
    "a sum of booleans": ("sum(flag)", 2),
    "an average of whole numbers": ("avg(number)", 1073741825.25),
    "the greatest boolean": ("max(flag)", True),
    "the least boolean": ("min(flag)", False),
    "the greatest word by bytes": ("max(word)", "é"),
    "the least word by bytes": ("min(word)", "B"),
    "a median": ("percentile_cont(0.5) within group (order by amount)", 2.5),
    "a percentile between two rows": ("percentile_cont(0.75) within group (order by amount)", 4.75),
    "a percentile that is a row": ("percentile_disc(0.2) within group (order by amount)", 1.0),
    "a percentile of the rows that pass": (
        "percentile_disc(0.5) within group (order by amount) filter (where amount > 1.5)",
        3.0,
    ),
    "a distinct count": ("count(distinct number)", 3),
    "a count of the rows that pass": ("count(*) filter (where number > 3)", 3),
}
OF_A_HUNDRED: dict[str, Difference] = {
    "a percentile whose row floating numbers would miss": ("percentile_disc(0.55) within group (order by place)", 55),
    "a percentile that begins a row": ("percentile_disc(0.551) within group (order by place)", 56),
    "all rows": ("percentile_disc(1) within group (order by place)", 100),
}
REFUSED: dict[str, str] = {
    "a function that is not known": "hash(word)",
    "another function": "strftime(moment, '%Y')",
    "a list": "[whole, nought]",
    "the span between moments": "moment - sunday",
    "a word beside a number": "word = whole",
    "a word that is no number beside one": "whole = 'seven'",
    "a string that is no moment": "moment > 'yesterday'",
    "a moment that the calendar has not": "moment > '2024-02-30'",
    "a date as a text": "word || sunday",
    "a floating number as a text": "cast(half as varchar)",
    "a floating number as a decimal one": "cast(half as decimal(10, 2))",
    "a word as a moment": "cast(word as timestamp)",
    "a word as true": "cast(word as boolean)",
    "a word as a condition": "case when word then 1 end",
    "the remainder of a floating number": "half % 2",
    "a part of a time that engines number in their own ways": "extract(week from moment)",
    "a span of two units": "moment + interval '1 day 2 hours'",
    "a period that is not known": "date_trunc('century', moment)",
    "a time zone in a definition": "moment at time zone 'UTC'",
    "the greatest of words": "greatest(word, 'a')",
    "an unknown type that is ordered": "unknown < 'a'",
    "an unknown type that is rounded": "round(unknown)",
    "an unknown type as a text": "word || unknown",
    "a product of decimals": "cents * cents",
    "a decimal of many places": "fine + 1",
    "great letters": "upper(accents)",
    "a pattern that is not written out": "word like slash",
    "a cast that may fail": "try_cast(word as int)",
}
REFUSED_TOTALS: dict[str, str] = {
    "several columns counted together": "count(distinct (number, word))",
    "a percentile of words": "percentile_disc(0.5) within group (order by word)",
    "a percentile of an unknown type": "percentile_cont(0.5) within group (order by unknown)",
    "a sum of words": "sum(word)",
    "a percentile of many places": "percentile_disc(0.12345678) within group (order by amount)",
    "another aggregate": "string_agg(word, ',')",
}


def select_value(expr: str, source: str, *, has_catalog: bool = True) -> exp.Select:
    """Return a SELECT of an expression over the rows of a table, as the planner writes it."""
    relation = f'"{DATABASE}"."main"."{source}"' if has_catalog else f'"main"."{source}"'
    return select([alias(parse_column(expr, source), "value")], table(relation, source))


def parse(sql: str) -> exp.Expr:
    """Return the tree of a query."""
    return sqlglot.parse_one(sql, read="duckdb")
