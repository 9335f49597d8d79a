"""KuaiRand becomes a raw set that keeps the contract, and every row of the log is accounted for."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnomon.core.contract import read_contract
from gnomon.core.errors import WarehouseError
from gnomon.core.raw_set import RawSet
from gnomon.ingest import Conversion, Tally, check, convert, find_adapter, kuairand, kuairand_steps
from gnomon.ingest.hashing import hash_identifier
from gnomon.ingest.kuairand_source import BASIC_COLUMNS, LOG_COLUMNS, STATISTIC_COLUMNS

KEY = "a key for tests only"
LOG = "log_2022-04-25_2022-04-30.parquet"
VIDEOS = "video_features_basic_and_statistic.parquet"

# 2022-04-24 15:05:41.436 UTC is 23:05 of that day in Beijing.
MOMENT = 1650812741436


@pytest.fixture(scope="module")
def real(real_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    return convert(real_log, tmp_path_factory.mktemp("real") / "raw", hash_key=KEY)


@pytest.fixture
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def fetch(sql: duckdb.DuckDBPyConnection, query: str, *paths: Path) -> list[tuple[Any, ...]]:
    return sql.execute(query, [str(path) for path in paths]).fetchall()


# A folder of hand-made rows, in both forms of the source --------------------------------


def exposure(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(LOG_COLUMNS, 0)
    row |= {"user_id": 7, "video_id": 1, "date": 20220424, "hourmin": 2300, "time_ms": MOMENT}
    return row | {"play_time_ms": 4000, "duration_ms": 9000, "tab": 1} | changes


def video(**changes: Any) -> dict[str, Any]:
    row = {"video_id": 1, "author_id": 7, "video_type": "NORMAL", "upload_dt": "2022-04-10"}
    row |= {"video_duration": 9000, "music_id": 55, "tag": "12,65"}
    return row | dict.fromkeys(STATISTIC_COLUMNS, 0.5) | {"counts": 10} | changes


def write_parquet(folder: Path, exposures: list[dict[str, Any]], videos: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(exposures), folder / "log_1.parquet")
    pq.write_table(pa.Table.from_pylist(videos), folder / VIDEOS)
    return folder


def write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def write_csvs(folder: Path, exposures: list[dict[str, Any]], videos: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "log_standard_4_22_to_5_08_pure.csv", LOG_COLUMNS, exposures)
    write_csv(folder / "video_features_basic_pure.csv", BASIC_COLUMNS, videos)
    write_csv(folder / "video_features_statistic_pure.csv", ("video_id", *STATISTIC_COLUMNS), videos)
    return folder


def read(out: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / table / "part-0.parquet").to_pylist()
    return rows


# The real log ---------------------------------------------------------------------------


def test_the_converted_real_log_keeps_the_contract(real: Conversion) -> None:
    report = check(real.folder)
    assert report.is_clean, report.render()
    assert report.raw_set_id == real.raw_set_id


def test_every_row_of_the_real_log_is_kept_dropped_or_quarantined(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    columns = ", ".join(LOG_COLUMNS)
    [(read_count, distinct, keys)] = fetch(
        sql,
        f"""
        select
            (select count(*) from read_parquet($1)),
            (select count(*) from (select distinct {columns} from read_parquet($1))),
            (select count(*) from (select distinct user_id, video_id, time_ms from read_parquet($1)))
        """,
        real_log / LOG,
    )
    assert (read_count, distinct, keys) == (94_784, 92_034, 91_805)
    tally = real.exposures
    assert tally.read == read_count
    assert tally.dropped == read_count - distinct
    assert tally.kept == keys
    assert tally.quarantined == distinct - keys == 229
    assert tally.read == tally.kept + tally.dropped + tally.quarantined
    [(quarantined,)] = fetch(
        sql, "select count(*) from read_parquet($1)", real.folder / "quarantine" / "engagement" / "part-0.parquet"
    )
    assert quarantined == 229
    assert real.exposures.reasons == {"repeated_key": 225, "shorter_play": 4}
    assert (real.videos.read, real.videos.kept) == (7_583, 7_583)


def test_repeated_keys_of_the_real_log_differ_only_where_nothing_is_read(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    columns = ", ".join(name for name in LOG_COLUMNS if name not in ("date", "hourmin", "comment_stay_time"))
    [(distinct,)] = fetch(
        sql, f"select count(*) from (select distinct {columns} from read_parquet($1))", real_log / LOG
    )
    assert distinct == real.exposures.kept + real.exposures.reasons["shorter_play"]


def test_daily_impressions_and_views_equal_a_query_over_the_real_log(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    ours = fetch(
        sql,
        """
        select
            occurred_at::date,
            count(*) filter (event_type = 'impression'),
            count(*) filter (event_type = 'view'),
            sum(watch_ms)
        from read_parquet($1) group by all order by all
        """,
        real.folder / "engagement" / "part-0.parquet",
    )
    theirs = fetch(
        sql,
        """
        with plays as (
            select user_id, video_id, time_ms, max(play_time_ms) as play
            from read_parquet($1) group by all
        )
        select make_timestamp(time_ms * 1000)::date, count(*), count(*) filter (play > 0), sum(play)
        from plays group by all order by all
        """,
        real_log / LOG,
    )
    assert len(theirs) == 7
    assert ours == theirs


def test_the_acts_of_the_real_log_equal_its_flags(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    ours = dict(
        fetch(
            sql,
            "select event_type, count(*) from read_parquet($1) group by all",
            real.folder / "engagement" / "part-0.parquet",
        )
    )
    # No two rows of one key differ in a flag, so the largest flag of a key is its flag.
    [theirs] = fetch(
        sql,
        """
        with keys as (
            select
                max(is_like) as liked, max(is_comment) as commented, max(is_forward) as shared,
                max(is_follow) as followed, max(is_profile_enter) as visited, max(is_hate) as hated
            from read_parquet($1) group by user_id, video_id, time_ms
        )
        select sum(liked), sum(commented), sum(shared), sum(followed), sum(visited), sum(hated) from keys
        """,
        real_log / LOG,
    )
    names = ("like", "comment", "share", "follow", "profile_visit", "not_interested")
    assert tuple(ours[name] for name in names) == tuple(int(count) for count in theirs)


def test_the_faults_of_the_real_log_stay_visible_as_flags(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    ours = dict(
        fetch(
            sql,
            """
            select source_flag, count(*) from read_parquet($1)
            where event_type = 'impression' and source_flag is not null group by all
            """,
            real.folder / "engagement" / "part-0.parquet",
        )
    )
    [theirs] = fetch(
        sql,
        """
        with keys as (
            select max(play_time_ms) as play, any_value(duration_ms) as duration
            from read_parquet($1) group by user_id, video_id, time_ms
        )
        select count(*) filter (duration = 0), count(*) filter (duration > 0 and play > 5 * duration) from keys
        """,
        real_log / LOG,
    )
    assert (ours["zero_duration"], ours["overlong_play"]) == theirs


def test_counters_of_the_real_log_are_means_times_counts(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    [ours] = fetch(
        sql,
        "select sum(report_count), sum(view_count), sum(not_interested_count), sum(cell_count) from read_parquet($1)",
        real.folder / "content_counters" / "part-0.parquet",
    )
    [theirs] = fetch(
        sql,
        """
        select sum(report_cnt * counts), sum(play_cnt * counts), sum(reduce_similar_cnt * counts), sum(counts)
        from read_parquet($1)
        """,
        real_log / VIDEOS,
    )
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert ours[0] / ours[1] * 10_000 == pytest.approx(0.0065, abs=0.00005)


def test_viewers_creators_and_content_of_the_real_log_are_all_there(
    real: Conversion, real_log: Path, sql: duckdb.DuckDBPyConnection
) -> None:
    ours = dict(
        fetch(
            sql,
            "select account_kind, count(*) from read_parquet($1) group by all",
            real.folder / "accounts" / "part-0.parquet",
        )
    )
    [theirs] = fetch(
        sql,
        """
        select
            (select count(distinct user_id) from read_parquet($1)),
            (select count(*) from (
                select author_id from read_parquet($1) union select author_id from read_parquet($2)
            )),
            (select count(distinct video_id) from read_parquet($2))
        """,
        real_log / LOG,
        real_log / VIDEOS,
    )
    assert (ours["viewer"], ours["creator"], real.row_counts["content"]) == theirs


def test_no_identifier_of_the_real_log_is_written(real: Conversion, sql: duckdb.DuckDBPyConnection) -> None:
    columns = {"accounts": "account_id", "content": "audio_hash", "engagement": "engagement_id"}
    for table, column in columns.items():
        [(plain,)] = fetch(
            sql,
            f"select count(*) from read_parquet($1) where not regexp_full_match({column}, '[0-9a-f]{{24}}')",
            real.folder / table / "part-0.parquet",
        )
        assert plain == 0
    [(plain,)] = fetch(
        sql,
        """
        select count(*) from read_parquet($1)
        where not (
            regexp_full_match(user_id, '[0-9a-f]{24}')
            and regexp_full_match(video_id, '[0-9a-f]{24}')
            and regexp_full_match(author_id, '[0-9a-f]{24}')
        )
        """,
        real.folder / "quarantine" / "engagement" / "part-0.parquet",
    )
    assert plain == 0


# Hand-made rows -------------------------------------------------------------------------


def test_the_two_forms_of_the_source_give_the_same_rows(tmp_path: Path) -> None:
    exposures = [exposure(is_like=1), exposure(time_ms=MOMENT + 1, play_time_ms=0), exposure(user_id=8)]
    videos = [video(), video(video_id=2, author_id=9, tag="unknown", music_id=0, video_type="AD")]
    left = convert(write_parquet(tmp_path / "a", exposures, videos), tmp_path / "left", hash_key=KEY)
    right = convert(write_csvs(tmp_path / "b", exposures, videos), tmp_path / "right", hash_key=KEY)
    assert left.exposures == right.exposures
    for table in kuairand_steps.OUTPUTS:
        assert read(left.folder, table) == read(right.folder, table), table
    assert check(right.folder).is_clean


def test_the_files_may_stand_in_data_as_the_archive_has_them(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    write_csvs(tmp_path / "source" / "data", [exposure()], [video()])
    assert find_adapter(tmp_path / "source") == "kuairand"
    assert convert(tmp_path / "source", tmp_path / "out", hash_key=KEY).exposures.kept == 1


def test_one_exposure_becomes_one_row_per_act(tmp_path: Path) -> None:
    flags = {"is_like": 1, "is_comment": 1, "is_forward": 1, "is_follow": 1, "is_profile_enter": 1, "is_hate": 1}
    source = write_parquet(tmp_path / "source", [exposure(**flags)], [video()])
    out = convert(source, tmp_path / "out", hash_key=KEY).folder
    acts = {row["event_type"]: row for row in read(out, "engagement")}
    assert sorted(acts) == [
        "comment", "follow", "impression", "like", "not_interested", "profile_visit", "share", "view",
    ]  # fmt: skip
    assert {name: row["watch_ms"] for name, row in acts.items() if row["watch_ms"] is not None} == {"view": 4000}
    assert len({row["engagement_id"] for row in acts.values()}) == 8
    assert [row["action"] for row in read(out, "follows")] == ["follow"]


def test_a_viewer_and_a_creator_of_one_number_are_two_accounts(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure(user_id=7)], [video(author_id=7)])
    accounts = read(convert(source, tmp_path / "out", hash_key=KEY).folder, "accounts")
    assert {row["account_kind"]: row["account_id"] for row in accounts} == {
        "viewer": hash_identifier(KEY.encode(), "viewer", "7"),
        "creator": hash_identifier(KEY.encode(), "creator", "7"),
    }
    assert len({row["account_id"] for row in accounts}) == 2


def test_rows_arrive_when_their_beijing_day_ends(tmp_path: Path) -> None:
    """23:05 in Beijing arrives within the hour; 00:05 arrives a day later. Both are one UTC day."""
    after_midnight = MOMENT + 3_600_000
    exposures = [exposure(play_time_ms=0), exposure(play_time_ms=0, time_ms=after_midnight)]
    out = convert(write_parquet(tmp_path / "source", exposures, [video()]), tmp_path / "out", hash_key=KEY).folder
    times = [(str(row["occurred_at"]), str(row["ingested_at"])) for row in read(out, "engagement")]
    assert times == [
        ("2022-04-24 15:05:41.436000", "2022-04-24 16:00:00"),
        ("2022-04-24 16:05:41.436000", "2022-04-25 16:00:00"),
    ]
    [content] = read(out, "content")
    assert str(content["occurred_at"]) == "2022-04-09 16:00:00"
    assert str(content["ingested_at"]) == "2022-04-10 16:00:00"
    [counters] = read(out, "content_counters")
    assert str(counters["occurred_at"]) == str(counters["ingested_at"]) == "2022-04-25 16:00:00"
    assert (counters["cell_count"], counters["view_count"]) == (10, 5.0)
    assert RawSet.read(out).newest_ingested_at.isoformat() == "2022-04-25T16:00:00"


def test_of_one_user_video_and_millisecond_the_longest_play_is_kept(tmp_path: Path) -> None:
    exposures = [
        exposure(play_time_ms=4000),
        exposure(play_time_ms=4000),
        exposure(play_time_ms=6000),
        exposure(play_time_ms=6000, hourmin=0),
    ]
    done = convert(write_parquet(tmp_path / "source", exposures, [video()]), tmp_path / "out", hash_key=KEY)
    assert done.exposures == Tally(4, 1, 1, 2, {"repeated_key": 1, "shorter_play": 1})
    assert [row["watch_ms"] for row in read(done.folder, "engagement") if row["event_type"] == "view"] == [6000]
    held = read(done.folder / "quarantine", "engagement")
    assert {row["reason"]: row["play_time_ms"] for row in held} == {"repeated_key": "6000", "shorter_play": "4000"}
    assert set(held[0]) == {*LOG_COLUMNS, "author_id", "reason"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_id": ""}, "bad_user_id"),
        ({"user_id": "7.5"}, "bad_user_id"),
        ({"video_id": "-1"}, "bad_video_id"),
        ({"time_ms": "yesterday"}, "bad_time_ms"),
        ({"time_ms": "1650812741"}, "bad_time_ms"),
        ({"play_time_ms": "-4"}, "bad_play_time_ms"),
        ({"duration_ms": ""}, "bad_duration_ms"),
        ({"is_like": "2"}, "bad_flag"),
        ({"video_id": "404"}, "no_author"),
    ],
)
def test_an_exposure_that_cannot_be_used_is_quarantined(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    source = write_csvs(tmp_path / "source", [exposure(), exposure(**changes)], [video()])
    done = convert(source, tmp_path / "out", hash_key=KEY)
    assert done.exposures == Tally(2, 1, 0, 1, {reason: 1})
    assert check(done.folder).is_clean


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"video_id": ""}, "bad_video_id"),
        ({"author_id": ""}, "bad_author_id"),
        ({"upload_dt": "someday"}, "bad_upload_dt"),
        ({"video_duration": -1}, "bad_video_duration"),
        ({"show_cnt": -1}, "bad_counter"),
    ],
)
def test_a_video_that_cannot_be_used_is_quarantined(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    source = write_csvs(tmp_path / "source", [exposure()], [video(), video(**{"video_id": 2} | changes)])
    done = convert(source, tmp_path / "out", hash_key=KEY)
    # A statistics row without its number cannot meet its other half, so two halves are held.
    halves = 2 if reason == "bad_video_id" else 1
    assert done.videos == Tally(1 + halves, 1, 0, halves, {reason: halves})
    assert check(done.folder).is_clean


def test_two_different_rows_of_one_video_are_both_quarantined(tmp_path: Path) -> None:
    videos = [video(), video(video_id=2), video(video_id=2, author_id=8), video()]
    done = convert(write_parquet(tmp_path / "source", [exposure()], videos), tmp_path / "out", hash_key=KEY)
    assert done.videos == Tally(4, 1, 1, 2, {"conflicting_rows": 2})


def test_a_video_that_only_the_log_knows_takes_the_author_from_the_log(tmp_path: Path) -> None:
    exposures = [exposure(author_id=7), exposure(video_id=2, author_id=9, time_ms=MOMENT + 5)]
    out = convert(write_parquet(tmp_path / "source", exposures, [video()]), tmp_path / "out", hash_key=KEY).folder
    content = {row["content_id"]: row for row in read(out, "content")}
    unlisted = content[hash_identifier(KEY.encode(), "content", "2")]
    assert unlisted["creator_id"] == hash_identifier(KEY.encode(), "creator", "9")
    assert unlisted["category"] is None
    assert str(unlisted["occurred_at"]) == "2022-04-24 15:05:41.441000"
    assert check(out).is_clean


def test_ads_and_the_two_main_scenes_are_told_apart(tmp_path: Path) -> None:
    exposures = [exposure(tab=tab, time_ms=MOMENT + tab, play_time_ms=0) for tab in (0, 1, 4)]
    exposures.append(exposure(video_id=2, time_ms=MOMENT + 9, play_time_ms=0))
    source = write_parquet(tmp_path / "source", exposures, [video(), video(video_id=2, video_type="AD")])
    rows = read(convert(source, tmp_path / "out", hash_key=KEY).folder, "engagement")
    assert [(row["surface"], row["is_ad"]) for row in rows] == [
        ("feed", False),
        ("feed", False),
        ("other", False),
        ("feed", True),
    ]


def test_music_0_is_no_fingerprint(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video(music_id=0)])
    [content] = read(convert(source, tmp_path / "out", hash_key=KEY).folder, "content")
    assert content["audio_hash"] is None


# Identity, output and refusals ----------------------------------------------------------


def test_the_same_input_and_key_give_the_same_identity_and_bytes(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure(), exposure(user_id=8, is_follow=1)], [video()])
    first = convert(source, tmp_path / "first", hash_key=KEY)
    second = convert(source, tmp_path / "second", hash_key=KEY)
    assert first.raw_set_id == second.raw_set_id
    for table in read_contract().tables:
        name = f"{table}/part-0.parquet"
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    other_key = convert(source, tmp_path / "third", hash_key="another key for tests")
    write_parquet(source, [exposure()], [video()])
    other_input = convert(source, tmp_path / "fourth", hash_key=KEY)
    assert len({first.raw_set_id, other_key.raw_set_id, other_input.raw_set_id}) == 3


def test_every_table_is_written_or_declared_absent_with_a_reason(tmp_path: Path) -> None:
    done = convert(write_parquet(tmp_path / "source", [exposure()], [video()]), tmp_path / "out", hash_key=KEY)
    assert set(RawSet.read(done.folder).absent) | set(kuairand_steps.OUTPUTS) == set(read_contract().tables)
    assert set(kuairand.ABSENT) & set(kuairand_steps.OUTPUTS) == set()
    assert check(done.folder).is_clean


@pytest.mark.parametrize("hash_key", [None, "", "fifteen chars.."])
def test_without_a_long_enough_key_nothing_is_written(tmp_path: Path, hash_key: str | None) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    with pytest.raises(WarehouseError, match=r"GNOMON_HASH_KEY .* Set it once and keep it"):
        convert(source, tmp_path / "out", hash_key=hash_key)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_an_output_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(WarehouseError, match=r"is not empty.*another --out"):
        convert(source, tmp_path / "out", hash_key=KEY)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_conversion_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    source = write_csvs(tmp_path / "source", [exposure(time_ms="never")], [video()])
    with pytest.raises(WarehouseError, match=r"none of its 1 exposures can be used \(1 bad_time_ms\)"):
        convert(source, tmp_path / "out", hash_key=KEY)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_what_is_not_accounted_for_stops_the_conversion() -> None:
    with pytest.raises(WarehouseError, match="10 rows were read but 9 are accounted for"):
        Tally(10, 7, 1, 1, {"bad_flag": 1}).verify("exposures")


def test_a_missing_column_is_named_with_its_file(tmp_path: Path) -> None:
    row = exposure()
    del row["play_time_ms"]
    source = write_parquet(tmp_path / "source", [row | {"play_time": 1}], [video()])
    with pytest.raises(WarehouseError, match=r"log_1\.parquet: the column 'play_time_ms' is missing.*'play_time'"):
        convert(source, tmp_path / "out", hash_key=KEY)


def test_a_missing_file_is_named_by_its_pattern(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    (source / VIDEOS).unlink()
    with pytest.raises(WarehouseError, match=r"no file matches video_features_basic_and_statistic\*\.parquet"):
        convert(source, tmp_path / "out", hash_key=KEY)


def test_a_broken_parquet_is_named(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    content = (source / "log_1.parquet").read_bytes()
    (source / "log_1.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(WarehouseError, match=r"log_1\.parquet: cannot be read.*fetch it again"):
        convert(source, tmp_path / "out", hash_key=KEY)


def test_a_folder_with_both_forms_would_count_twice_and_is_refused(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    write_csvs(source, [exposure()], [video()])
    with pytest.raises(WarehouseError, match="leave one form"):
        convert(source, tmp_path / "out", hash_key=KEY)


def test_a_folder_is_known_by_its_files(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", [exposure()], [video()])
    assert find_adapter(source) == "kuairand"
    out = convert(source, tmp_path / "out", hash_key=KEY).folder
    assert find_adapter(out) == "raw"
    with pytest.raises(WarehouseError, match="is a raw set already"):
        convert(out, tmp_path / "again", hash_key=KEY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WarehouseError, match=r"(?s)no source is recognised.*raw_set\.json.*kuairand .*log_\*\.parquet"):
        find_adapter(tmp_path / "empty")
    with pytest.raises(WarehouseError, match="no such folder"):
        find_adapter(tmp_path / "nowhere")


def test_the_page_on_the_source_explains_every_reason_and_absence(project: Path) -> None:
    page = (project / "docs" / "sources" / "kuairand.md").read_text(encoding="utf-8")
    judged = kuairand_steps.JUDGE_VIDEOS + kuairand_steps.JUDGE_EXPOSURES
    reasons = set(re.findall(r"then '(\w+)'", judged))
    assert len(reasons) == 14
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()
    assert {table for table in kuairand.ABSENT if f"`{table}`" not in page} == set()
    columns = (*LOG_COLUMNS, *BASIC_COLUMNS, *STATISTIC_COLUMNS)
    assert {column for column in columns if f"`{column}`" not in page} == set()
