"""The log of sign-ups and log-ins, with what each came from."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnomon.simulate.origins import draw_carriers
from gnomon.simulate.rows import Rows, hide, order_by_time, write_hashes, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import HOUR, MINUTE, NONE, REGIONS, Bools, Day, Ints, draw_arrivals, draw_moments

EVENTS = np.array(["sign_up_attempt", "sign_up_blocked", "sign_up", "log_in"])
ATTEMPT, BLOCKED, SIGN_UP, LOG_IN = range(4)
_CHANNELS = np.array(["organic", "referral", "ads", "partner"])


def record(state: State, day: Day, newcomers: Ints, blocked: Ints, block_factor: float) -> None:
    """Post the day's sign-ups, attempts and blocks of these newcomers, and everybody's log-ins.

    Nobody has an account while attempting to sign up: attempts and blocks name none. `blocked` is
    the usual number of blocked attempts of each newcomer, of which `block_factor` are made.
    """
    rng = day.draw_stream("account_events")
    registered = state.accounts["registered_at"][newcomers]
    tries = np.repeat(newcomers, np.floor(blocked * block_factor + rng.random(len(blocked))).astype(np.int64))
    # Before the success, or the attempt would not have been made again.
    tried = state.accounts["registered_at"][tries] - rng.integers(3 * MINUTE, 6 * HOUR, len(tries))
    tried = np.maximum(tried, day.begins_at)
    visits, visited = _draw_visits(state, day, rng)
    parts = [
        (newcomers, ATTEMPT, np.maximum(registered - rng.integers(5, 120, len(newcomers)), day.begins_at)),
        (newcomers, SIGN_UP, registered),
        (tries, ATTEMPT, tried),
        (tries, BLOCKED, tried + rng.integers(0, 3, len(tries))),
        (visits, LOG_IN, visited),
    ]
    account = np.concatenate([part[0] for part in parts])
    event = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    occurred = np.concatenate([part[2] for part in parts])
    state.outbox.post(rng, "account_events", _tabulate(state, day, rng, account, event, occurred))


def find_arrivals(state: State, accounts: Ints) -> Ints:
    """Return when each of these accounts, all registered today, becomes known: as its row in the outbox says."""
    posted = pa.concat_tables(state.outbox.waiting["accounts"])
    numbers = pc.cast(pc.utf8_slice_codeunits(posted["account_id"], 1), pa.int64()).to_numpy() - 1
    moments = posted["ingested_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    return np.asarray(moments[order][np.searchsorted(numbers[order], accounts)], dtype=np.int64)


def _draw_visits(state: State, day: Day, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the accounts that log in today and when: a draw for every account, then who can."""
    accounts = state.accounts
    often = np.minimum(accounts["weight"], 6.0) * np.where(accounts["is_creator"], 0.06, 0.03)
    luck = rng.random(accounts.count)
    there = (accounts["registered_at"] < day.ends_at - HOUR) & (accounts["left_at"] > day.begins_at)
    whose = np.flatnonzero((luck < often) & there)
    low = np.maximum(accounts["registered_at"][whose] + 1, day.begins_at)
    high = np.minimum(accounts["left_at"][whose], day.ends_at)
    return whose, draw_moments(rng, low, high, accounts["region"][whose])


def _tabulate(state: State, day: Day, rng: np.random.Generator, account: Ints, event: Ints, occurred: Ints) -> Rows:
    order = order_by_time(rng, occurred)
    whose, what, occurred = account[order], event[order], occurred[order]
    people = state.accounts.take(whose)
    is_visit: Bools = what == LOG_IN
    # Phones roam: a third of log-ins come through a carrier's shared addresses.
    roams = is_visit & (rng.random(len(order)) < 0.33)
    network = np.where(roams, draw_carriers(day.world, rng, people["region"]), people["network"])
    named = (what == SIGN_UP) | is_visit
    arrivals = draw_arrivals(rng, occurred, late_share=0.005)
    # A log never names an account that nobody has heard of.
    is_new = what == SIGN_UP
    arrivals[is_new] = np.maximum(arrivals[is_new], find_arrivals(state, whose[is_new]))
    return {
        "account_event_id": write_ids("n", state.number("account_events", len(order))),
        "account_id": write_ids("a", np.where(named, whose, NONE)),
        "event_type": write_words(EVENTS, what),
        "signup_channel": hide(write_words(_CHANNELS, people["channel"]), is_visit),
        "region": write_words(REGIONS, people["region"]),
        "device_hash": write_hashes(people["device"]),
        "network_hash": write_hashes(network),
        "payment_hash": write_hashes(np.where(is_visit, people["payment"], NONE)),
        "email_domain_hash": write_hashes(np.where(is_visit, NONE, people["email"])),
        "occurred_at": write_moments(occurred),
        "ingested_at": write_moments(arrivals),
    }
