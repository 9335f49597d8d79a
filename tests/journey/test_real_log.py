"""The real log, from its files to answers: equal to independent SQL, and silent on what it lacks."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from tests.journey.conftest import Built

# The stated rules, written apart from the adapter: exact duplicates count once; of one user, video and
# millisecond the longest play counts; UTC days; a view is a play of more than 0 ms, advertisements apart.
INDEPENDENT = """
    with exposures as (
        select user_id, video_id, time_ms, max(play_time_ms) as play_time_ms
        from read_parquet(?)
        group by user_id, video_id, time_ms
    )
    select
        cast(epoch_ms(exposures.time_ms) as date) as utc_day,
        count(*) as impressions,
        count(*) filter (where exposures.play_time_ms > 0 and videos.video_type <> 'AD') as views
    from exposures
    left join read_parquet(?) as videos on exposures.video_id = videos.video_id
    group by utc_day
    order by utc_day
"""

SUPPORTED = {
    "impressions", "views", "short_play_rate", "completion_rate", "negative_feedback_rate",
    "reports_per_ten_thousand_plays", "top_one_percent_exposure_share", "posts", "active_creators", "like_rate",
}  # fmt: skip
UNSUPPORTED = {
    "low_quality_content_rate", "creator_violation_rate", "proactive_rate", "appeal_rate", "appeal_overturn_rate",
    "gmv", "orders", "complaint_rate", "violative_gmv_share", "violative_view_share", "user_report_precision",
    "fake_registration_rate", "signup_block_rate", "new_registrations", "product_click_rate", "safety_score",
    "commerce_score", "user_reports", "violations",
}  # fmt: skip


def test_impressions_and_views_by_utc_day_equal_independent_sql(built_real_log: Built, real_log: Path) -> None:
    asked = built_real_log.run(
        "gnomon", "query", "impressions", "views", "--by", "metric_time__day", "--order", "metric_time__day",
        "--format", "csv",
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    ours = [(row["metric_time__day"], int(row["impressions"]), int(row["views"]))
            for row in csv.DictReader(io.StringIO(asked.stdout))]  # fmt: skip
    (log,) = real_log.glob("log_*.parquet")
    (videos,) = real_log.glob("video_features_*.parquet")
    independent = duckdb.execute(INDEPENDENT, [str(log), str(videos)]).fetchall()
    assert ours == [(str(day), impressions, views) for day, impressions, views in independent]
    assert sum(row[1] for row in ours) == 91_805


def test_what_the_log_supports_has_a_value(built_real_log: Built) -> None:
    assert ask(built_real_log, SUPPORTED)["nulls"] == {}


@pytest.mark.parametrize("metric", sorted(UNSUPPORTED))
def test_what_the_log_lacks_is_null_with_the_reason(built_real_log: Built, metric: str) -> None:
    answer = ask(built_real_log, {metric})
    assert answer["values"] == {metric: None}
    assert answer["nulls"][metric].startswith("the source has no ")


def ask(built: Built, metrics: set[str]) -> dict[str, dict[str, object]]:
    asked = built.run("gnomon", "query", *sorted(metrics), "--format", "json")
    assert asked.returncode == 0, asked.stderr
    document = json.loads(asked.stdout)
    return {"values": document["rows"][0], "nulls": document["provenance"]["nulls"]}
