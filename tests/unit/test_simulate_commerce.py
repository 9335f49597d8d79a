"""What is listed, clicked, ordered and sent back in a small world with views made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from gnomon.simulate import after_sales, catalogue, orders, people, shopping
from gnomon.simulate.effects import Effects, start_effects
from gnomon.simulate.engagement import IMPRESSION, VIEW, Acts
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.parcels import CARRIERS
from gnomon.simulate.scale import SCALES
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    DAY,
    HOUR,
    NEVER,
    NONE,
    REGION_SHARES,
    REGIONS,
    Day,
    Ints,
    World,
    make_world,
)

SCALE = replace(SCALES["tiny"], days=40, creators=300, impressions_per_creator=2.0)
START = date(2026, 5, 6)
ITEMS = 400
INDONESIA, THAILAND = 0, 1

Change = Callable[[State, Effects, Day], None]


@dataclass(eq=False, repr=False)
class Shop:
    """A world with commerce alone: people, products and items are founded, views are made by hand."""

    days: int = 40
    seed: int = 5
    effect: Change | None = None
    hidden: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    views_per_day: int = 160
    state: State = field(default_factory=State)
    acts: list[Acts] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = make_world(self.seed, SCALE, START)
        people.found(self.world, self.state)
        catalogue.found(self.world, self.state)
        add_items(self.world, self.state, self.hidden, self.bad)
        parts: dict[str, list[pa.Table]] = {}
        for number in range(self.days):
            self.live(self.world.day(number))
            for name, rows in self.state.outbox.collect(self.world.day(number).ends_at).items():
                parts.setdefault(name, []).append(rows)
        self.database = duckdb.connect()
        for name, tables in parts.items():
            self.database.register(f"all_{name}", pa.concat_tables(tables))
            key = pa.concat_tables(tables).column_names[0]
            self.database.execute(
                f"create view {name} as select * from all_{name} "
                f"qualify row_number() over (partition by {key} order by ingested_at desc) = 1"
            )
        self.database.register("views", list_views(self.acts))
        self.parts = parts

    def live(self, day: Day) -> None:
        effects = start_effects(self.state.creators.count)
        if self.effect is not None:
            self.effect(self.state, effects, day)
        acts = make_acts(self.state, day, self.views_per_day)
        self.acts.append(acts)
        catalogue.list_products(self.state, day)
        shopping.shop(self.state, day, effects, acts)
        after_sales.follow(self.state, day, effects)
        self.state.next_day += 1

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        return self.database.execute(sql).fetchall()

    def count(self, sql: str) -> float:
        return float(self.ask(sql)[0][0])  # type: ignore[arg-type]


def add_items(world: World, state: State, hidden: tuple[int, ...], bad: tuple[int, ...]) -> None:
    """Items uploaded before the start, three in four with a product of their creator's region."""
    rng = world.draw_stream("items by hand")
    creator = rng.integers(0, state.creators.count, ITEMS)
    region = state.accounts["region"][state.creators["account"][creator]]
    uploaded = world.start - np.arange(ITEMS, 0, -1, dtype=np.int64) * HOUR
    moments = np.full(ITEMS, world.start, dtype=np.int64)
    product = catalogue.draw_products(rng, state, region, np.full(ITEMS, NONE), moments)
    columns: dict[str, object] = {name: np.zeros(ITEMS, dtype=np.int64) for name in state.items.take(np.zeros(0, int))}
    never = np.full(ITEMS, NEVER)
    columns |= dict.fromkeys(("removed_at", "returned_at", "limited_at", "unlimited_at"), never)
    columns |= {
        "creator": creator,
        "uploaded_at": uploaded,
        "product": np.where(np.arange(ITEMS) % 4 > 0, product, NONE),
        "policy": np.where(np.isin(np.arange(ITEMS), bad), 2, NONE),
        "removed_at": np.where(np.isin(np.arange(ITEMS), hidden), world.start, NEVER),
    }
    state.items.append(**columns)  # type: ignore[arg-type]


def make_acts(state: State, day: Day, views: int) -> Acts:
    """Impressions and views of any items by any viewers, some in advertising, some by owners."""
    rng = day.draw_stream("views by hand")
    count = 2 * views
    moments = np.sort(rng.integers(day.begins_at, day.ends_at, count))
    viewers = np.flatnonzero(~state.accounts["is_creator"])
    viewer = viewers[rng.integers(0, len(viewers), count)]
    item = rng.integers(0, state.items.count, count)
    event = np.where(np.arange(count) % 2 == 0, IMPRESSION, VIEW)
    is_owner = rng.random(count) < 0.05
    viewer = np.where(is_owner, state.creators["account"][state.items["creator"][item]], viewer)
    return Acts(
        number=state.number("engagement", count),
        event=event,
        item=item,
        viewer=viewer,
        surface=np.zeros(count, dtype=np.int64),
        watch_ms=np.where(event == VIEW, rng.integers(1, 300, count) * 100, NONE),
        is_ad=rng.random(count) < 0.05,
        is_owner=is_owner,
        occurred_at=moments,
        ingested_at=moments + 600,
    )


def list_views(acts: list[Acts]) -> pa.Table:
    """The views of all days."""
    names = ("viewer", "item", "is_owner", "is_ad", "occurred_at")
    return pa.table({name: np.concatenate([getattr(day, name)[day.event == VIEW] for day in acts]) for name in names})


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.database.close()


# The catalogue ---------------------------------------------------------------------------


def test_a_fifth_of_the_products_is_listed_in_the_planned_days_and_listing_goes_on() -> None:
    world, state = make_world(1, SCALE, START), State()
    catalogue.found(world, state)
    sellers, founded = state.sellers.count, state.products.count
    assert sellers == SCALE.creators // 5
    assert founded == pytest.approx(4 * sellers, rel=0.1)
    assert (np.bincount(state.products["seller"], minlength=sellers) >= 1).all()
    for number in range(2 * SCALE.days):
        catalogue.list_products(state, world.day(number))
    assert state.products.count - founded == pytest.approx(2 * sellers, rel=0.3)
    assert (np.diff(state.products["listed_at"]) >= 0).all()


def test_a_product_is_never_listed_before_its_seller_is_there(shop: Shop) -> None:
    early = (
        "select count(*) from products join sellers using (seller_id) where products.occurred_at < sellers.occurred_at"
    )
    assert shop.count(early) == 0


def test_a_drawn_product_is_of_the_region_and_of_the_category_where_there_is_one() -> None:
    world, state = make_world(1, SCALE, START), State()
    catalogue.found(world, state)
    rng = world.draw_stream("draws")
    count = 4000
    region, category = rng.integers(0, len(REGIONS), count), rng.integers(-1, 8, count)
    moments = np.full(count, world.start + HOUR, dtype=np.int64)
    drawn = catalogue.draw_products(rng, state, region, category, moments)
    products = state.products
    assert (products["region"][drawn] == region).all()
    there = set(zip(products["region"].tolist(), products["category"].tolist(), strict=True))
    wanted = [pair in there for pair in zip(region.tolist(), category.tolist(), strict=True)]
    assert (products["category"][drawn][wanted] == category[wanted]).all()
    # Without one of the category, any of the region.
    assert 0 < sum(wanted) < count


def test_nothing_is_drawn_from_an_empty_shelf_or_before_it_is_known() -> None:
    """Product 0 in ID is known before the day, product 1 in ID only during it; TH has none."""
    state = State()
    day = 20_000 * DAY
    state.products.append(
        seller=0, region=0, category=3, price=100, listed_at=np.array([0, day]), known_at=np.array([10, day + 10])
    )
    rng = np.random.default_rng(1)
    moments = np.full(50, day + HOUR, dtype=np.int64)
    for region, expected in ((INDONESIA, 0), (THAILAND, NONE)):
        where = np.full(50, region)
        assert set(catalogue.draw_products(rng, state, where, np.full(50, 5), moments)) == {expected}
    assert set(catalogue.draw_products(rng, state, np.zeros(50, int), np.full(50, 3), moments + DAY)) == {0, 1}


def test_prices_are_round_in_their_currency(shop: Shop) -> None:
    assert shop.count("select count(*) from products where price_amount <= 0") == 0
    for currency, step in (("IDR", "100"), ("VND", "1000"), ("THB", "1"), ("MYR", "0.1")):
        odd = f"select count(*) from products where currency = '{currency}' and price_amount % {step} <> 0"
        assert shop.count(odd) == 0
        assert shop.count(f"select count(*) from products where currency = '{currency}'") > 0


# Clicks and carts ------------------------------------------------------------------------


def test_a_click_on_an_item_follows_a_view_of_it_and_is_of_its_product(shop: Shop) -> None:
    without = """
        select count(*) from product_events as k where event_type = 'click' and content_id is not null and not exists (
            select 1 from views
            where views.viewer = right(k.viewer_id, 9)::bigint - 1
                and views.item = right(k.content_id, 9)::bigint - 1
                and not views.is_owner
                and epoch(k.occurred_at)::bigint - views.occurred_at between 2 and 62
        )
    """
    assert shop.count(without) == 0
    rows = shop.ask("select content_id, product_id from product_events where content_id is not null")
    assert len(rows) > 200
    product = shop.state.items["product"]
    assert all(product[int(str(item)[1:]) - 1] == int(str(sold)[1:]) - 1 for item, sold in rows)


def test_a_cart_follows_a_click_of_the_same_viewer_on_the_same_product(shop: Shop) -> None:
    # What came late in the log may be missing from its last days.
    orphans = f"""
        select count(*) from product_events as cart where event_type = 'cart'
        and occurred_at < timestamp '{START}' + interval 33 day and not exists (
            select 1 from product_events as click
            where click.event_type = 'click' and click.viewer_id = cart.viewer_id
                and click.product_id = cart.product_id and click.occurred_at < cart.occurred_at
                and click.content_id is not distinct from cart.content_id
        )
    """
    assert shop.count(orphans) == 0
    carts = "select avg((event_type = 'cart')::int) / avg((event_type = 'click')::int) from product_events"
    assert shop.count(carts) == pytest.approx(0.55, abs=0.05)


def test_nobody_clicks_on_a_hidden_item_and_nobody_else_notices(shop: Shop) -> None:
    hidden = tuple(range(0, ITEMS, 5))
    twin = Shop(hidden=hidden)
    names = ", ".join(f"'c{item + 1:09d}'" for item in hidden)
    events = "select viewer_id, product_id, content_id, event_type, occurred_at from product_events"
    sold = f"content_id in ({names})"
    # What came late in the log may be missing from its last days.
    early = f"occurred_at < timestamp '{START}' + interval 33 day"
    assert shop.count(f"select count(*) from product_events where {sold}") > 20
    assert twin.count(f"select count(*) from product_events where {sold}") == 0
    # The views are the same in both worlds, so all other clicks and carts are.
    others = sorted(map(str, shop.ask(f"{events} where {early} and (content_id is null or not ({sold}))")))
    assert others == sorted(map(str, twin.ask(f"{events} where {early}")))
    # And what was ordered after those goes the same way.
    ways = f"""
        select o.buyer_id, o.occurred_at, o.paid_at, f.event_type, f.occurred_at, f.carrier, f.fault_party
        from orders as o inner join fulfilment_events as f using (order_id) where f.{early}
    """
    left, right = (set(map(str, world.ask(ways))) for world in (shop, twin))
    assert right <= left
    assert len(right) > 0.9 * len(left)


def test_a_closed_account_buys_nothing_more() -> None:
    def close(state: State, effects: Effects, day: Day) -> None:
        if day.number == 10:
            state.accounts["left_at"][::2] = day.begins_at

    shut = Shop(effect=close, days=20)
    since = f"occurred_at >= timestamp '{START}' + interval 10 day"
    for table, who in (("product_events", "viewer_id"), ("orders", "buyer_id")):
        closed = f"select count(*) from {table} where right({who}, 9)::bigint % 2 = 1 and"
        assert shut.count(f"{closed} {since}") == 0
        assert shut.count(f"{closed} not {since}") > 0


def test_scarce_views_are_clicked_more_and_half_of_what_they_miss_goes_to_the_shop() -> None:
    """Usual supply in ID: 300 · 2.0 · 0.27 · 0.34 views, clicked with 0.24, on a day of weight w.

    No supply leaves all intents (twice the usual clicks) unserved, the usual one half of them.
    """
    day = make_world(1, SCALE, START).day(0)
    effects = start_effects(0)
    weight = {0: 0.94, 1: 0.92, 2: 0.94, 3: 0.97, 4: 1.04, 5: 1.11, 6: 1.08}[START.weekday()]
    usual = 300 * 2.0 * 0.27 * 0.34 * weight
    shares = REGION_SHARES / REGION_SHARES[INDONESIA]
    chance, wanted = shopping._serve(day, effects, usual * shares)
    assert chance == pytest.approx(np.full(8, 0.24))
    assert wanted[INDONESIA] == pytest.approx(300 * 0.33 * 0.34 * weight)
    chance, none = shopping._serve(day, effects, np.zeros(8))
    assert chance == pytest.approx(np.full(8, 0.48))
    assert none[INDONESIA] - wanted[INDONESIA] == pytest.approx(0.5 * 0.24 * usual)
    chance, ample = shopping._serve(day, effects, 3 * usual * shares)
    assert chance == pytest.approx(np.full(8, 0.12))
    assert ample[INDONESIA] < wanted[INDONESIA]


def test_fakes_click_a_tenth_as_often() -> None:
    def unmask(state: State, effects: Effects, day: Day) -> None:
        state.accounts["is_fake"] = ~state.accounts["is_creator"] & (np.arange(state.accounts.count) % 2 == 0)

    mixed = Shop(effect=unmask, views_per_day=600)
    fakes = ", ".join(map(str, np.flatnonzero(mixed.state.accounts["is_fake"]) + 1))
    clicks = f"""
        select right(viewer_id, 9)::bigint in ({fakes}), count(*) from product_events
        where content_id is not null and event_type = 'click' group by 1
    """
    views = f"select viewer + 1 in ({fakes}), count(*) from views where not is_owner group by 1"
    clicked, viewed = dict(mixed.ask(clicks)), dict(mixed.ask(views))
    ratio = (clicked[True] / viewed[True]) / (clicked[False] / viewed[False])  # type: ignore[operator]
    assert 0.06 < ratio < 0.15
    # On the shop's own pages too, so that no kind of click tells who is real.
    in_shop = clicks.replace("content_id is not null", "content_id is null")
    visits = dict(mixed.ask(in_shop))
    assert 0.03 < visits[True] / (visits[True] + visits[False]) < 0.08  # type: ignore[operator]


# Orders ----------------------------------------------------------------------------------


def count_orders(shop: Shop, where: str) -> float:
    return shop.count(f"select count(*) from orders where {where}")


def test_a_region_with_more_demand_orders_more_and_the_others_what_they_did(shop: Shop) -> None:
    def lift(state: State, effects: Effects, day: Day) -> None:
        effects.orders[INDONESIA] = 3.0

    lifted = Shop(effect=lift)
    assert count_orders(lifted, "region = 'ID'") == pytest.approx(3 * count_orders(shop, "region = 'ID'"), rel=0.15)
    # The few that come from abroad's views are the only change elsewhere.
    there = "region = 'TH'"
    assert count_orders(lifted, there) == pytest.approx(count_orders(shop, there), rel=0.02)


def test_less_demand_leaves_carts_unbought_and_clicks_as_they_were(shop: Shop) -> None:
    def drop(state: State, effects: Effects, day: Day) -> None:
        effects.orders[:] = 0.5

    dropped = Shop(effect=drop)
    clicks = "select count(*) from product_events"
    assert dropped.count(clicks) == shop.count(clicks)
    assert count_orders(dropped, "true") == pytest.approx(0.5 * count_orders(shop, "true"), rel=0.1)
    # What came late in the log may be missing from its last days.
    buyers = f"select buyer_id, occurred_at from orders where occurred_at < timestamp '{START}' + interval 33 day"
    assert set(dropped.ask(buyers)) < set(shop.ask(buyers))


def test_attribution_takes_the_last_click_and_no_old_one() -> None:
    """One buyer, product 0: clicks at day 0 (item 5) and day 2 (shop); product 1: day 0 (item 6)."""
    clicks = Ledger(viewer=np.int64, product=np.int64, item=np.int64, clicked_at=np.int64)
    clicks.append(
        viewer=1, product=np.array([0, 1, 0]), item=np.array([5, 6, -1]), clicked_at=np.array([0, 0, 2 * DAY])
    )
    product, ordered = np.array([0, 0, 1, 1, 2]), np.array([DAY, 3 * DAY, 7 * DAY, 7 * DAY + 1, DAY])
    buyer: Ints = np.ones(5, dtype=np.int64)
    assert orders.attribute_sales(clicks, buyer, product, ordered).tolist() == [5, -1, 6, -1, -1]
    assert orders.attribute_sales(clicks, buyer + 1, product, ordered).tolist() == [-1] * 5


def test_sales_are_attributed_to_the_last_click_within_seven_days(shop: Shop) -> None:
    lines, attributed, wrong = shop.ask("""
        with clicks as (select * from product_events where event_type = 'click')
        select count(*), count(attributed_content_id), count(*) filter (
            case when i.occurred_at - clicks.occurred_at <= interval 7 day then clicks.content_id end
            is distinct from i.attributed_content_id
        )
        from (select order_items.*, buyer_id from order_items inner join orders using (order_id)) as i
        asof left join clicks
            on i.buyer_id = clicks.viewer_id and i.product_id = clicks.product_id
            and i.occurred_at >= clicks.occurred_at
    """)[0]
    assert lines == shop.count("select count(*) from order_items")
    assert attributed > 50  # type: ignore[operator]
    # A click that came late in the log is missing from its last days.
    assert wrong <= 0.01 * lines  # type: ignore[operator]


def test_clicks_older_than_the_attribution_window_are_forgotten(shop: Shop) -> None:
    kept = shop.state.others[orders.CLICKS]["clicked_at"]
    last = shop.world.day(shop.days - 1)
    assert kept.min() >= last.begins_at - 7 * DAY
    assert kept.min() < last.begins_at - 6 * DAY
    assert kept.max() < last.ends_at


def test_an_order_is_paid_soon_or_in_a_later_version_or_never(shop: Shop) -> None:
    assert shop.count("select avg((paid_at is null)::int) from orders") == pytest.approx(0.08, abs=0.02)
    assert shop.count("select count(*) from all_orders where paid_at > ingested_at or paid_at < occurred_at") == 0
    versions = """
        select count(*) filter (count = 1), count(*) filter (count = 2), count(*) filter (count > 2)
        from (select count(*) as count from all_orders group by order_id)
    """
    once, twice, more = shop.ask(versions)[0]
    assert once > 0  # type: ignore[operator]
    assert twice > 0  # type: ignore[operator]
    assert more == 0
    # The second version brings nothing but the payment, and comes in a later batch.
    wrong = """
        select count(*) from all_orders as a inner join all_orders as b using (order_id)
        where a.ingested_at < b.ingested_at and (
            a.paid_at is not null or b.paid_at is null or a.buyer_id <> b.buyer_id or a.occurred_at <> b.occurred_at
        )
    """
    assert shop.count(wrong) == 0
    same = "select count(*) - count(distinct (order_id, ingested_at)) from all_orders"
    assert shop.count(same) == 0


def test_an_order_has_lines_of_different_products_at_their_price(shop: Shop) -> None:
    lines = dict(
        shop.ask("select count, count(*) from (select count(*) from order_items group by order_id) t(count) group by 1")
    )
    assert set(lines) == {1, 2}
    assert lines[2] / (lines[1] + lines[2]) == pytest.approx(0.14, abs=0.03)  # type: ignore[operator]
    assert shop.count("select count(*) - count(distinct (order_id, product_id)) from order_items") == 0
    wrong = """
        select count(*) from order_items as i inner join products as p using (product_id)
        where i.price_amount <> p.price_amount or i.currency <> p.currency or i.seller_id <> p.seller_id
            or i.occurred_at < p.occurred_at
    """
    assert shop.count(wrong) == 0


# After the order -------------------------------------------------------------------------


def test_a_paid_order_is_promised_and_then_dispatched_or_cancelled_but_not_both(shop: Shop) -> None:
    ways = """
        select
            orders.occurred_at < timestamp '2026-06-05' as is_old,
            paid_at is not null as is_paid,
            count(*) filter (event_type = 'promised') as promised,
            count(*) filter (event_type = 'dispatched') as dispatched,
            count(*) filter (event_type = 'cancelled') as cancelled,
            count(*) filter (event_type = 'delivered') as delivered
        from orders left join fulfilment_events using (order_id) group by order_id, orders.occurred_at, paid_at
    """
    counts = dict.fromkeys(("dispatched", "cancelled", "delivered", "lost"), 0)
    for is_old, is_paid, promised, dispatched, cancelled, delivered in shop.ask(ways):
        if not is_paid:
            assert (promised, dispatched, cancelled, delivered) == (0, 0, 0, 0)
        elif is_old:
            assert promised == 1
            assert dispatched + cancelled == 1  # type: ignore[operator]
            assert delivered <= dispatched  # type: ignore[operator]
            counts["dispatched"] += dispatched  # type: ignore[operator]
            counts["cancelled"] += cancelled  # type: ignore[operator]
            counts["delivered"] += delivered  # type: ignore[operator]
    assert 0.01 < counts["cancelled"] / counts["dispatched"] < 0.08
    assert 0.90 < counts["delivered"] / counts["dispatched"] < 1.0


def test_the_steps_of_an_order_come_in_their_order(shop: Shop) -> None:
    wrong = """
        with steps as (
            pivot (select order_id, event_type, occurred_at from fulfilment_events)
            on event_type in ('promised', 'dispatched', 'delivered', 'cancelled') using min(occurred_at)
        )
        select count(*) from steps inner join orders using (order_id)
        where promised <= paid_at or dispatched <= promised or cancelled < promised or delivered <= dispatched
    """
    assert shop.count(wrong) == 0
    unknown = """
        select count(*) from fulfilment_events as f where not exists (
            select 1 from all_orders as o where o.order_id = f.order_id and o.ingested_at <= f.ingested_at
        )
    """
    assert shop.count(unknown) == 0
    shape = """
        select count(*) from fulfilment_events where
            (fault_party is not null) <> (event_type = 'cancelled')
            or (carrier is not null) <> (event_type in ('dispatched', 'delivered'))
            or (promised_dispatch_at is not null) <> (event_type = 'promised')
    """
    assert shop.count(shape) == 0
    switched = (
        "select count(*) from (select order_id from fulfilment_events group by 1 having count(distinct carrier) > 1)"
    )
    assert shop.count(switched) == 0


def test_money_goes_back_once_per_line_and_in_full_when_nothing_came(shop: Shop) -> None:
    assert shop.count("select count(*) - count(distinct order_item_id) from refunds") == 0
    wrong = """
        with gone as (
            select order_id, bool_or(event_type = 'delivered') as has_come,
                max(occurred_at) filter (event_type = 'delivered') as came_at
            from fulfilment_events group by 1
        )
        select
            count(*) filter (refund_amount > price_amount * quantity or refunds.currency <> order_items.currency),
            count(*) filter (not has_come and refund_amount <> price_amount * quantity),
            count(*) filter (not has_come and refund_kind <> 'refund_only'),
            count(*) filter (has_come and refunds.occurred_at < came_at + interval 2 day),
            count(*) filter (has_come), count(*) filter (not has_come)
        from refunds inner join order_items using (order_item_id) inner join gone using (order_id)
    """
    *wrongs, returned, undone = shop.ask(wrong)[0]
    assert wrongs == [0, 0, 0, 0]
    assert returned > 20  # type: ignore[operator]
    assert undone > 20  # type: ignore[operator]


def test_an_order_has_at_most_one_complaint_and_lost_parcels_most(shop: Shop) -> None:
    assert shop.count("select count(*) - count(distinct order_id) from complaints") == 0
    rates = dict(
        shop.ask("""
            select came, avg((complaint_id is not null)::int) from (
                select order_id, bool_or(event_type = 'delivered') as came from fulfilment_events
                where order_id in (
                    select order_id from fulfilment_events
                    where event_type = 'dispatched' and occurred_at < timestamp '2026-05-25'
                ) group by 1
            ) left join complaints using (order_id) group by 1
        """)
    )
    assert rates[False] > 0.4  # type: ignore[operator]
    assert 0.005 < rates[True] < 0.10  # type: ignore[operator]
    causes = "select count(*) from complaints where (cause = 'not_received') = (order_id in ({}))"
    came = "select order_id from fulfilment_events where event_type = 'delivered'"
    assert shop.count(causes.format(came)) == 0


def test_a_lost_carrier_loses_only_what_it_takes_in_that_region_while_it_lasts(shop: Shop) -> None:
    def lose(state: State, effects: Effects, day: Day) -> None:
        if day.number < 10:
            effects.carrier_loss[1, INDONESIA] = 1.0

    struck = Shop(effect=lose)
    sent = """
        select carrier = '{carrier}' and region = 'ID' and f.occurred_at < timestamp '{until}' as is_hit,
            count(*), avg((order_id in (select order_id from fulfilment_events where event_type = 'delivered'))::int)
        from fulfilment_events as f inner join orders using (order_id)
        where event_type = 'dispatched' and f.occurred_at < timestamp '{until}' + interval 10 day
        group by 1 order by 1
    """.format(carrier=CARRIERS[1], until=date(2026, 5, 16))
    (_, others, kept), (_, hit, gone) = struck.ask(sent)
    assert hit > 20  # type: ignore[operator]
    assert gone == 0
    assert kept == pytest.approx(shop.ask(sent)[0][2], abs=1e-9)
    assert others == shop.ask(sent)[0][1]
    lost = "select count(*) from complaints where cause = 'not_received' and fault_party = 'carrier'"
    assert struck.count(lost) > shop.count(lost) + 0.4 * float(hit)  # type: ignore[arg-type]


def test_a_slow_carrier_makes_parcels_late_by_its_own_fault(shop: Shop) -> None:
    def hold(state: State, effects: Effects, day: Day) -> None:
        effects.carrier_days[2] = 8.0

    slow = Shop(effect=hold)
    transit = f"""
        select median(d.occurred_at - s.occurred_at) from fulfilment_events as d
        inner join fulfilment_events as s on d.order_id = s.order_id and s.event_type = 'dispatched'
        where d.event_type = 'delivered' and s.occurred_at < timestamp '2026-05-20' and s.carrier = '{CARRIERS[2]}'
    """
    days = slow.ask(transit)[0][0] - shop.ask(transit)[0][0]  # type: ignore[operator]
    assert 7 < days.total_seconds() / DAY < 9
    late = "select count(*) from complaints where cause = 'late' and fault_party = 'carrier'"
    assert slow.count(late) > 3 * shop.count(late)


def test_a_deceptive_product_is_complained_of_returned_and_rated_badly(shop: Shop) -> None:
    best = "select product_id from order_items group by 1 order by count(*) desc, 1 limit 12"
    sold = [int(str(name)[1:]) - 1 for (name,) in shop.ask(best)]
    names = ", ".join(f"'p{number + 1:09d}'" for number in sold)

    def deceive(state: State, effects: Effects, day: Day) -> None:
        effects.deceptive_products.update(dict.fromkeys(sold, 0.5))

    deceiving = Shop(effect=deceive)
    questions = (
        "select count(*) from complaints inner join order_items using (order_id) "
        f"where cause = 'not_as_described' and product_id in ({names})",
        "select count(*) from refunds inner join order_items using (order_item_id) "
        f"where refund_kind = 'return_refund' and product_id in ({names})",
        f"select count(*) from product_reviews where rating <= 2 and product_id in ({names})",
    )
    for question in questions:
        assert deceiving.count(question) > 2 * shop.count(question) + 3
    others = f"select count(*) from product_reviews where rating <= 2 and product_id not in ({names})"
    assert deceiving.count(others) == shop.count(others)


def test_what_bad_items_sell_disappoints_more_often() -> None:
    good, bad = (Shop(bad=items, views_per_day=1200, days=30) for items in ((), tuple(range(ITEMS))))
    rated = """
        select avg((rating <= 3)::int) from product_reviews inner join order_items using (order_item_id)
        where attributed_content_id is not null
    """
    assert bad.count(rated) > good.count(rated) + 0.08


# Rows ------------------------------------------------------------------------------------


TABLES = {
    "products": "p",
    "product_events": "k",
    "orders": "o",
    "order_items": "i",
    "fulfilment_events": "f",
    "refunds": "r",
    "complaints": "q",
    "product_reviews": "g",
}


@pytest.mark.parametrize("table", TABLES)
def test_ids_follow_time_without_gaps_and_no_row_is_known_before_it_happened(shop: Shop, table: str) -> None:
    rows = shop.parts[table]
    key = rows[0].column_names[0]
    disorder = (
        f"select count(*) from (select occurred_at < lag(occurred_at) over (order by {key}) as is_back from {table})"
    )
    assert shop.count(f"{disorder} where is_back") == 0
    assert shop.count(f"select count(*) from {table} where left({key}, 1) <> '{TABLES[table]}'") == 0
    assert shop.count(f"select count(*) from all_{table} where ingested_at < occurred_at") == 0
    assert shop.count(f"select count(distinct {key}) from {table}") > 30
    # What is not known yet is missing at the end only.
    last = shop.count(f"select max(right({key}, 9)::bigint) from {table}")
    assert last - shop.count(f"select count(*) from {table}") < 0.01 * last + 5
    for number, part in enumerate(rows):
        newest = part["ingested_at"].to_numpy().max().astype("datetime64[s]").astype(np.int64)
        assert newest <= shop.world.day(number + shop.days - len(rows)).ends_at


def test_the_same_seed_gives_the_same_rows_and_a_copied_state_goes_on_alike() -> None:
    one, again, other = Shop(days=6), Shop(days=6), Shop(days=6, seed=6)
    assert all(pa.concat_tables(one.parts[name]).equals(pa.concat_tables(again.parts[name])) for name in one.parts)
    assert not pa.concat_tables(one.parts["orders"]).equals(pa.concat_tables(other.parts["orders"]))
    state, twin = again.state, again.state.copy()
    # What the first lives through on its next day leaves the copy alone.
    known = []
    for again.state in (state, twin):
        again.live(again.world.day(6))
        known.append(again.state.outbox.collect(again.world.day(6).ends_at))
    assert known[0].keys() == known[1].keys()
    assert known[0]["orders"].num_rows > 10
    assert all(known[0][name].equals(known[1][name]) for name in known[0])


def test_a_parcel_is_not_decided_before_its_day(shop: Shop) -> None:
    waiting = shop.state.agenda.topics
    end = shop.world.day(shop.days - 1).ends_at
    for topic in ("parcels.dispatches", "parcels.deliveries", "after_sales.refunds", "after_sales.complaints"):
        assert waiting[topic].count > 0
        assert waiting[topic]["at"].min() >= end
    assert waiting["orders.placed"].count == 0
