"""The whole world in its order of causes, from people to the record on disk."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from gnomon.core.contract import read_contract
from gnomon.core.raw_set import RawSet
from gnomon.simulate import accounts as people
from gnomon.simulate import after_sales, catalogue, engagement, frames, policies, rulings, sampling, shopping, status
from gnomon.simulate import content as items
from gnomon.simulate.enforcement import Enforcement, enforce, keep_seen, keep_uploaded
from gnomon.simulate.exposure import draw_exposures, draw_reports
from gnomon.simulate.rows import Rows, show_moments, stack_rows
from gnomon.simulate.world import NEVER, Ints, Texts, World, make_world
from gnomon.simulate.writing import write_world


def run_simulation(out: Path, *, seed: int, days: int, creators: int, start: date) -> RawSet:
    """Write the world of these arguments into `out`; see gnomon.simulate.simulate."""
    world = make_world(seed, days, creators, start)
    tables, truth = simulate_world(world)
    record = RawSet(
        raw_set_id=f"simulated-s{seed}-d{days}-c{creators}-{start:%Y%m%d}-v{read_contract().version}",
        source=f"gnomon simulate: seed {seed}, {days} days from {start}, {creators} creators. Nobody in it is real.",
        newest_ingested_at=_find_newest(tables),
        absent={},
        contract_version=read_contract().version,
    )
    write_world(out, tables, truth, record)
    return record


def simulate_world(world: World) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Return every raw table of the contract by name, and the truth's tables."""
    accounts, creators = people.draw_accounts(world)
    stock = catalogue.draw_catalogue(world)
    meant = items.draw_content(world, accounts, creators, stock)
    offered = draw_exposures(world, accounts, creators, meant)
    reports = draw_reports(world, meant, offered)

    # What the platform does decides what of all this comes to be.
    enforcement = enforce(world, creators, meant, reports)
    seen = keep_seen(world, enforcement, meant, offered, reports)
    enforcement, moved = keep_uploaded(enforcement)
    exposures = offered.take(seen, moved)
    # A report needs the showing it came from.
    reports = reports.take(seen[reports.exposure], moved)
    content = meant.take(moved >= 0)
    content_ids = items.name_content(content)

    acts = engagement.draw_acts(world, accounts, creators, content, enforcement, exposures)
    known_reports = engagement.tabulate_user_reports(
        world, accounts, creators, stock, content, content_ids, enforcement, reports
    )
    actions, ruled = rulings.tabulate_rulings(world, accounts, creators, content, content_ids, enforcement)
    tables: dict[str, Rows] = {
        "accounts": people.tabulate_accounts(accounts),
        "account_events": people.tabulate_account_events(world, accounts, creators),
        "creator_status": status.tabulate_creator_status(world, accounts, creators, enforcement.spells),
        "follows": engagement.tabulate_follows(world, accounts, creators, content, acts),
        "content": items.tabulate_content(accounts, creators, stock, content, content_ids),
        "live_sessions": items.tabulate_live_sessions(
            world,
            accounts,
            creators,
            content,
            content_ids,
            engagement.count_views(content, acts),
            _find_stops(content, enforcement),
        ),
        "engagement": engagement.tabulate_engagement(accounts, content, content_ids, acts),
        "content_counters": engagement.tabulate_content_counters(
            world, content, content_ids, acts, known_reports.item_counts
        ),
        "comments": engagement.tabulate_comments(world, accounts, content_ids, acts),
        "user_reports": known_reports.rows,
        "policy_versions": policies.tabulate_policy_versions(world),
        **ruled,
        **_trade(world, accounts, stock, content, content_ids, enforcement, acts),
        **_measure(world, accounts, creators, content, content_ids, enforcement, acts, actions),
    }
    truth = {
        "accounts": people.tell_truth(accounts),
        "content": items.tell_truth(content, content_ids),
        "actions": rulings.tell_truth(actions),
        "events": _tell_events(world),
    }
    return {name: tables[name] for name in read_contract().tables}, truth


def _trade(
    world: World,
    accounts: people.Accounts,
    stock: catalogue.Catalogue,
    content: items.Content,
    content_ids: Texts,
    enforcement: Enforcement,
    acts: engagement.Acts,
) -> dict[str, Rows]:
    """Return the raw tables of commerce."""
    clicks, product_events = shopping.draw_clicks(world, accounts, stock, content, content_ids, enforcement, acts)
    orders = shopping.draw_orders(world, accounts, stock, clicks)
    faults = shopping.find_seller_faults(stock, content, orders)
    deliveries = after_sales.draw_deliveries(world, orders, faults)
    return {
        "sellers": catalogue.tabulate_sellers(world, stock),
        "products": catalogue.tabulate_products(stock),
        "product_events": product_events,
        "orders": shopping.tabulate_orders(accounts, orders),
        "order_items": shopping.tabulate_order_items(stock, content_ids, orders),
        "fulfilment_events": after_sales.tabulate_fulfilment_events(world, orders, deliveries),
        "refunds": after_sales.tabulate_refunds(world, stock, orders, deliveries, faults),
        "complaints": after_sales.tabulate_complaints(world, orders, deliveries, faults),
        "product_reviews": after_sales.tabulate_product_reviews(world, stock, orders, deliveries, faults),
    }


def _measure(
    world: World,
    accounts: people.Accounts,
    creators: people.Creators,
    content: items.Content,
    content_ids: Texts,
    enforcement: Enforcement,
    acts: engagement.Acts,
    actions: rulings.Rulings,
) -> dict[str, Rows]:
    """Return the raw tables of measurement: designs and reviews of every frame."""
    uploads = frames.build_upload_frame(world, accounts, creators, content, content_ids)
    reviewed = [
        sampling.review_frame(world, accounts, content, content_ids, frame)
        for frame in (
            frames.build_view_frame(world, content, creators, acts),
            uploads,
            frames.build_live_frame(world, uploads, content, enforcement),
            frames.build_creator_frame(world, accounts, creators, content),
            frames.build_registration_frame(world, accounts),
            frames.build_action_frame(world, accounts, creators, actions),
        )
    ]
    return {
        "sampling_designs": stack_rows([designs for designs, _ in reviewed]),
        "quality_reviews": sampling.join_reviews(world, [reviews for _, reviews in reviewed]),
    }


def _find_stops(content: items.Content, enforcement: Enforcement) -> Ints:
    """Return when each item is first taken out of sight, NEVER if it is not."""
    banned_at = enforcement.spells[-1].begins_at[content.creator]
    banned_at = np.where(banned_at > content.uploaded_at, banned_at, NEVER)
    return np.minimum(enforcement.removed_at, banned_at)


def _tell_events(world: World) -> Rows:
    """Return the truth about what happened to the world, and when."""
    first, last = world.burst
    return {
        "event": np.array(["fake_registration_wave", "misleading_claims_widened"]),
        "begins_at": show_moments(np.array([first, world.widened_at], dtype=np.int64)),
        "ends_at": show_moments(np.array([last, NEVER], dtype=np.int64)),
    }


def _find_newest(tables: dict[str, Rows]) -> datetime:
    """Return the newest ingested_at of all tables."""
    newest = max(np.ma.getdata(rows["ingested_at"]).astype(np.int64).max(initial=0) for rows in tables.values())
    return datetime.fromtimestamp(int(newest), tz=UTC).replace(tzinfo=None)
