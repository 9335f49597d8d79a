"""The seasons of a world are those of the calendar that analysts read."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gnomon.simulate.seasons import lift_demand, lift_orders, list_campaigns
from gnomon.simulate.world import REGIONS

SEED = Path(__file__).parents[2] / "seeds" / "campaign_calendar.csv"


def test_the_campaign_calendar_has_the_campaigns_of_the_simulator() -> None:
    with SEED.open(encoding="utf-8", newline="") as file:
        seeded = {
            (row["campaign_name"], row["region"], row["start_date"], row["end_date"]) for row in csv.DictReader(file)
        }
    played = {
        (campaign.name, region, campaign.first.isoformat(), campaign.last.isoformat())
        for campaign in list_campaigns()
        for region in ([""] if len(campaign.regions) == len(REGIONS) else campaign.regions)
    }
    assert seeded == played


@pytest.mark.parametrize(
    ("day", "region", "lifted"),
    [
        (date(2025, 11, 11), "ID", True),
        (date(2025, 11, 28), "US", True),
        (date(2025, 11, 28), "TH", False),
        (date(2026, 3, 5), "MY", True),
        (date(2025, 1, 20), "VN", True),
        (date(2026, 4, 14), "PH", False),
    ],
)
def test_a_campaign_lifts_orders_where_and_when_it_is(day: date, region: str, lifted: bool) -> None:
    lift = float(lift_orders(day)[np.flatnonzero(region == REGIONS)[0]])
    assert (lift > 1.2) is lifted


def test_the_new_year_is_busier_than_the_summer() -> None:
    assert (lift_demand(date(2025, 12, 22)) > lift_demand(date(2025, 7, 22))).all()
