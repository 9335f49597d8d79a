"""The tables of a world: NULL keys, values and times, duplicates, dangling keys, gaps, ties and late rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta

import duckdb
import pyarrow as pa

from tests.differential.shape import Shape

USERS, COMPANIES, LISTINGS, STORES = 60, 8, 25, 6
TYPES = {
    "text": pa.string(),
    "int": pa.int32(),
    "real": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
}
Row = tuple[object, ...]


class Maker:
    """Draws the rows of one world."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rng = random.Random(f"tables {shape.seed}")
        # Days on which nothing happens at all.
        self.quiet = {self.rng.randrange(shape.days) for _ in range(shape.days // 6)}
        gap = self.rng.randrange(shape.days - 9)
        self.quiet |= set(range(gap, gap + 9))
        self.busy = [day for day in range(shape.days) if day not in self.quiet]

    def day(self) -> date:
        return self.shape.start + timedelta(days=self.rng.choice(self.busy))

    def moment(self, grain: str, day: date | None = None) -> datetime:
        parts = [self.rng.choice([0, 3, 9, 10, 10, 17, 22, 23]), 0, 0, 0]
        for place, unit in enumerate(("minute", "second", "millisecond"), start=1):
            if unit in ("minute", grain) or grain == "millisecond" or (grain == "second" and unit == "second"):
                parts[place] = self.rng.choice([0, 1, 30, 59])
        if grain == "hour":
            parts[1:] = [0, 0, 0]
        hour, minute, second, milli = parts
        return datetime.combine(day or self.day(), time(hour, minute, second, milli * 1000))

    def maybe(self, value: object, share: float = 0.06) -> object:
        """Return the value, or now and then NULL."""
        return None if self.rng.random() < share else value

    def amount(self, top: int = 400) -> float:
        """Return a number whose sums are exact."""
        return self.rng.randrange(-8, top) / 4

    def word(self, *words: str, share: float = 0.08) -> object:
        return self.maybe(self.rng.choice(words), share)

    def users(self) -> Iterable[Row]:
        for number in range(1, USERS + 1):
            company = self.rng.choice([*range(1, COMPANIES + 1), 99])
            joined = self.shape.start + timedelta(days=self.rng.randrange(-200, self.shape.days))
            yield (
                number, f"u{number}@x", self.word("ID", "TH", "VN", "SG"), self.maybe(self.rng.randrange(16, 60)),
                self.maybe(company), self.maybe(joined, 0.03), self.amount(),
                self.maybe(self.moment(self.shape.order_grain), 0.03), self.maybe(self.rng.randrange(1, LISTINGS + 2)),
            )  # fmt: skip

    def companies(self) -> Iterable[Row]:
        for number in range(1, COMPANIES + 1):
            founded = date(2023, 1, 1) + timedelta(days=31 * self.rng.randrange(16))
            yield number, self.word("retail", "media", "food"), founded.replace(day=1), self.rng.randrange(1, 40)

    def listings(self) -> Iterable[Row]:
        for number in range(1, LISTINGS + 1):
            opened = self.shape.start + timedelta(days=self.rng.randrange(-100, 40))
            yield number, self.word("home", "toys", "audio"), self.maybe(self.rng.randrange(1, 9)), opened

    def listing_history(self) -> Iterable[Row]:
        """Versions without overlap: some begin late, some leave a gap, the last is mostly open."""
        for number in range(1, LISTINGS + 1):
            begin = self.shape.start + timedelta(days=self.rng.choice([-30, -30, 0, 15]))
            versions = self.rng.randrange(1, 4)
            for version in range(versions):
                end = begin + timedelta(days=self.rng.randrange(5, 40))
                is_open = version == versions - 1 and self.rng.random() < 0.7
                lister = self.maybe(self.rng.randrange(1, USERS + 1))
                tier, featured = self.word("gold", "silver", "plain"), self.maybe(self.rng.random() < 0.3)
                moments = (datetime.combine(begin, time()), None if is_open else datetime.combine(end, time()))
                yield number, *moments, tier, featured, lister
                begin = end + timedelta(days=self.rng.choice([0, 0, 0, 6]))

    def stores(self) -> Iterable[Row]:
        if not self.shape.has_partition:
            for number in range(1, STORES + 1):
                yield f"S{number}", self.shape.start, self.word("north", "south"), self.rng.randrange(10, 90)
            return
        for day in range(self.shape.days):
            for number in range(1, STORES + 1):
                if self.rng.random() < 0.85:
                    moved = "north" if (day // 20 + number) % 2 else "south"
                    ds = self.shape.start + timedelta(days=day)
                    yield f"S{number}", ds, self.maybe(moved), self.rng.randrange(10, 90)

    def user_key(self, share: float = 0.06) -> object:
        """Return a user, mostly a busy one; now and then one that is not there, or NULL."""
        number = min(self.rng.randrange(1, USERS + 1), self.rng.randrange(1, USERS + 6))
        return self.maybe(777 if self.rng.random() < 0.03 else number, share)

    def orders(self) -> Iterable[Row]:
        for number in range(1, self.shape.orders + 1):
            day = self.day()
            shipped = day + timedelta(days=self.rng.randrange(0, 9))
            yield (
                number, self.user_key(), self.maybe(self.rng.randrange(1, LISTINGS + 2)),
                self.maybe(self.rng.randrange(1, STORES + 2)), self.moment(self.shape.order_grain, day), day,
                self.maybe(shipped, 0.15), self.word("web", "app", "shop"), self.maybe(self.rng.random() < 0.6),
                self.maybe(self.amount()), self.maybe(self.rng.randrange(0, 7)), self.maybe(day, 0.02),
            )  # fmt: skip

    def refunds(self) -> Iterable[Row]:
        for number in range(1, self.shape.orders // 4):
            order = self.maybe(self.rng.randrange(1, self.shape.orders + 8))
            yield number, order, self.day(), self.word("late", "broken", "regret"), self.maybe(self.amount(80))

    def visits(self) -> Iterable[Row]:
        """A shopper has one visit a day, now and then delivered twice: conversions need to know which came last."""
        last: Row | None = None
        known: set[tuple[object, date]] = set()
        for _ in range(self.shape.visits):
            shopper, moment = self.user_key(), self.moment(self.shape.visit_grain)
            is_new = shopper is None or (shopper, moment.date()) not in known
            if is_new and (last is None or self.rng.random() > 0.06):
                known.add((shopper, moment.date()))
                last = (
                    shopper, moment, self.word("web", "app", "shop"),
                    self.maybe(self.rng.randrange(0, 600)), self.maybe(self.rng.random() < 0.4),
                    self.maybe(self.rng.randrange(1, LISTINGS + 2)),
                    self.maybe(f"S{self.rng.randrange(1, STORES + 2)}"),
                )  # fmt: skip
            if last is not None:
                yield last

    def balances(self) -> Iterable[Row]:
        for number in range(1, USERS // 2):
            for day in range(self.rng.randrange(0, 12), self.shape.days, self.rng.choice([1, 3, 7])):
                if day in self.quiet:
                    continue
                kind = self.rng.choice(["cash", "credit"])
                as_of = self.shape.start + timedelta(days=day)
                yield (
                    self.maybe(number, 0.02), as_of, kind, self.maybe(self.amount()), self.rng.randrange(0, 5),
                    f"S{number % STORES + 1}",
                )  # fmt: skip

    def memberships(self) -> Iterable[Row]:
        for number in range(1, 40):
            yield self.rng.randrange(1, USERS + 1), number % 7


COLUMNS: dict[str, str] = {
    "users": "user_id int, email text, home text, age int, company_id int, joined_on date, score real, "
    "last_seen_at moment, listing_id int",
    "companies": "company_id int, sector text, founded date, staff int",
    "listings": "listing_id int, category text, capacity int, opened_on date",
    "listing_history": "listing_id int, valid_from moment, valid_to moment, tier text, is_featured bool, lister_id int",
    "stores": "store_code text, ds date, region text, size int",
    "orders": "order_id int, user_id int, listing_id int, store_no int, ordered_at moment, order_date date, "
    "shipped_on date, order_kind text, is_paid bool, amount real, qty int, ds date",
    "refunds": "refund_id int, order_id int, refunded_on date, reason text, amount real",
    "visits": "user_id int, visited_at moment, channel text, seconds int, has_clicked bool, "
    "listing_id int, store_code text",
    "balances": "user_id int, as_of date, account_kind text, balance real, points int, store_code text",
    "memberships": "user_id int, group_id int",
}


DATE_COLUMNS = {
    table: frozenset(column.split()[0] for column in columns.split(", ") if column.endswith(" date"))
    for table, columns in COLUMNS.items()
}


def fill_tables(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """Create and fill every table of a world, its time spines included."""
    maker = Maker(shape)
    makers: dict[str, Callable[[], Iterable[Row]]] = {name: getattr(maker, name) for name in COLUMNS}
    for name, rows in makers.items():
        _create(connection, name, COLUMNS[name], list(rows()))
    first, last = shape.spine
    # The retailer's months are 28 days from a Sunday; the column has no name of the calendar's.
    connection.execute(
        """
        create table days as
        select
            cast(d as date) as date_day,
            cast(date '2023-01-01' + cast(floor((cast(d as date) - date '2023-01-01') / 28) as integer) * 28 as date)
                as retail_month_start,
            cast(date '2023-01-01' + cast(floor((cast(d as date) - date '2023-01-01') / 10) as integer) * 10 as date)
                as tenday
        from range(cast($1 as timestamp), cast($2 as timestamp) + interval 1 day, interval 1 day) as t(d)
        """,
        [first, last],
    )
    connection.execute(
        "create table hours as select h as date_hour "
        "from range(cast($1 as timestamp), cast($2 as timestamp) + interval 1 day, interval 1 hour) as t(h)",
        [first, last],
    )


def _create(connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Sequence[Row]) -> None:
    fields = [column.strip().split(" ") for column in columns.split(",")]
    arrays = [pa.array([row[place] for row in rows], type=TYPES[kind]) for place, (_, kind) in enumerate(fields)]
    table = pa.table(arrays, names=[column for column, _ in fields])
    connection.register("incoming", table)
    connection.execute(f'create table "{name}" as select * from incoming')
    connection.unregister("incoming")
