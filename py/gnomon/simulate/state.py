"""All that a world knows at the end of a day: its ledgers, what is to come, and what is on its way.

The truth is in here; nothing of it leaves but through the raw tables and the folder truth/.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from gnomon.simulate.agenda import Agenda
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.outbox import Outbox
from gnomon.simulate.world import Ints


def _make_accounts() -> Ledger:
    """Accounts in the order of registration; codes are 48-bit fingerprints, -1 where there is none."""
    return Ledger(
        is_creator=bool,
        is_fake=bool,
        region=np.int64,
        channel=np.int64,
        registered_at=np.int64,
        weight=float,  # how much the person does, mean about 1
        operator=np.int64,  # -1: runs by itself
        device=np.int64,
        network=np.int64,
        payment=np.int64,
        email=np.int64,
        creator=np.int64,  # its row among the creators, -1 for a viewer
        left_at=np.int64,  # NEVER while it is in use
    )


def _make_creators() -> Ledger:
    """Creators in the order of their accounts; spells are [*_at, *_until), NEVER where there is none."""
    return Ledger(
        account=np.int64,
        category=np.int64,
        post_rate=float,  # items a day
        audience=float,  # log-normal reach, mean about 1
        quality=float,  # 0..1, what a careful reviewer would say of the usual item
        bad_rate=float,  # share of violating items once it has turned
        operator=np.int64,
        turns_at=np.int64,  # since when bad_rate counts
        tier=np.int64,  # index into status.TIERS, as it is now
        agency=np.int64,
        quits_at=np.int64,
        returns_at=np.int64,  # NEVER: never comes back
        violation_count=np.int64,
        limited_at=np.int64,
        limited_until=np.int64,
        suspended_at=np.int64,
        suspended_until=np.int64,
        banned_at=np.int64,
        banned_until=np.int64,
        favour=float,  # factor on reach: lost after a wrong action, and slowly regained
    )


def _make_items() -> Ledger:
    """Items in the order of upload."""
    return Ledger(
        creator=np.int64,
        uploaded_at=np.int64,
        kind=np.int64,
        category=np.int64,
        language=np.int64,  # index into world.LANGUAGE_NAMES
        caption=np.int64,
        audio=np.int64,
        link=np.int64,
        media=np.int64,
        product=np.int64,
        duration=np.int64,  # milliseconds, -1 for images
        is_declared=bool,
        detector_score=float,
        is_borderline=bool,
        is_aigc=bool,
        policy=np.int64,  # what it truly breaks, -1: nothing
        seems_bad=bool,  # it breaks a policy, and nobody has hidden that
        reach=float,  # weight in the day's showings
        quality=float,
        scenario=np.int64,  # which scenario made it, -1: none
        removed_at=np.int64,
        returned_at=np.int64,
        limited_at=np.int64,
        unlimited_at=np.int64,
        violation=np.int64,  # its row among the violations, -1: none
        view_count=np.int64,
    )


def _make_sellers() -> Ledger:
    return Ledger(region=np.int64, fault=float, since=np.int64)


def _make_products() -> Ledger:
    """Products in the order of listing; price in hundredths of the currency's unit."""
    return Ledger(
        seller=np.int64, region=np.int64, category=np.int64, price=np.int64, listed_at=np.int64, known_at=np.int64
    )


def _make_violations() -> Ledger:
    """Decisions that an item or an account broke a policy, in the order of decision; item is -1 for an account."""
    return Ledger(
        account=np.int64,
        creator=np.int64,  # -1: a viewer's account
        item=np.int64,
        policy=np.int64,
        version=np.int64,
        detected_by=np.int64,
        decided_at=np.int64,
        known_at=np.int64,
    )


def _make_actions() -> Ledger:
    """Enforcements in the order of time; item is -1 for an action on an account."""
    return Ledger(
        violation=np.int64,  # -1: without one
        account=np.int64,
        creator=np.int64,  # -1: a viewer's account
        item=np.int64,
        action=np.int64,
        source=np.int64,  # index into enforcement.SOURCES
        decision=np.int64,  # number of its id; -2 - row among the texts of decisions from outside
        policy=np.int64,  # -1: none
        detected_by=np.int64,  # -1: nobody, a strategy fired
        acted_at=np.int64,
        known_at=np.int64,
        version_at=np.int64,  # when its newest version becomes known
        notified_at=np.int64,  # these two are planned up to a day ahead
        restored_at=np.int64,
        is_right=bool,
        scenario=np.int64,  # the scenario or -2 (a decision from outside) that caused it, -1: the incumbent rules
    )


def _make_appeals() -> Ledger:
    """Appeals in the order of filing; decided_at is NEVER while pending."""
    return Ledger(
        action=np.int64,
        appealed_at=np.int64,
        known_at=np.int64,
        version_at=np.int64,  # when its newest version becomes known
        outcome=np.int64,
        decided_at=np.int64,
        reviewer=np.int64,
    )


@dataclass
class State:
    """A world at the end of a day. `advance` is the only thing that changes it."""

    next_day: int = 0
    accounts: Ledger = field(default_factory=_make_accounts)
    creators: Ledger = field(default_factory=_make_creators)
    items: Ledger = field(default_factory=_make_items)
    sellers: Ledger = field(default_factory=_make_sellers)
    products: Ledger = field(default_factory=_make_products)
    violations: Ledger = field(default_factory=_make_violations)
    actions: Ledger = field(default_factory=_make_actions)
    appeals: Ledger = field(default_factory=_make_appeals)
    # Ledgers that belong to one module or one scenario each; the owner makes them on first use.
    others: dict[str, Ledger] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    outbox: Outbox = field(default_factory=Outbox)

    def number(self, table: str, count: int) -> Ints:
        """Return the next `count` row numbers of a raw table, for its ids."""
        first = self.numbers.get(table, 0)
        self.numbers[table] = first + count
        return np.arange(first, first + count, dtype=np.int64)

    def copy(self) -> Self:
        """Return a state that shares nothing with this one but rows that never change."""
        ledgers: dict[str, Any] = {
            name: value.copy() for name, value in vars(self).items() if isinstance(value, Ledger)
        }
        return replace(
            self,
            **ledgers,
            others={name: ledger.copy() for name, ledger in self.others.items()},
            numbers=dict(self.numbers),
            agenda=self.agenda.copy(),
            outbox=self.outbox.copy(),
        )
