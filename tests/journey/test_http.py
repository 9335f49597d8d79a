"""The HTTP API as its clients meet it: answers, refusals, pages, roles, keys and tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi.testclient import TestClient

from gnomon.engine import Condition, Engine
from gnomon.serve.http.app import create_app
from gnomon.serve.http.service import ServeLimits, Service
from gnomon.serve.serve_command import open_service
from gnomon.state import KeyRing, StateDatabase
from tests.journey.conftest import Built

ACCESS = """
roles:
  analyst_id:
    why: Analysts of one market see that market only.
    rows: ["{{ Dimension('creator__region') }} = 'ID'"]
    hidden: [creator]
  shop_team:
    why: The shop team asks for commerce and nothing else.
    metrics: [gmv, orders]
  partner:
    why: Partners see figures of groups, and no creator behind them.
    smallest_cell: {least: 10, of: [creator]}
  slow:
    why: A role for trying the number of questions a minute.
    per_minute: 2
"""
WEEKLY = {
    "metrics": ["low_quality_content_rate", "views"],
    "group_by": ["metric_time__week"],
    "order_by": ["metric_time__week"],
}
ISSUER, AUDIENCE = "https://issuer.example", "gnomon"


@pytest.fixture(scope="module")
def project_dir(built_sample: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with roles, over the built sample; its state is its own."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "access.yml").write_text(ACCESS)
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "token.pem").write_bytes(public)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "private.pem").write_bytes(pem)
    settings = {
        "DBT_TARGET_PATH": str(built_sample.target),
        "GNOMON_TOKEN_KEY": str(folder / "token.pem"),
        "GNOMON_TOKEN_ISSUER": ISSUER,
        "GNOMON_TOKEN_AUDIENCE": AUDIENCE,
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield folder
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def service(project_dir: Path) -> Service:
    return open_service(project_dir, ServeLimits(most_rows=500, seconds=60), anonymous="owner")


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as client:
        yield client


@pytest.fixture(scope="module")
def engine(project_dir: Path) -> Engine:
    return Engine.open(project_dir)


@pytest.fixture(scope="module")
def make_key(project_dir: Path) -> Callable[..., dict[str, str]]:
    """Make a key of a role, and return the header that it is sent in."""

    def make(role: str, days: int | None = None, now: datetime | None = None) -> dict[str, str]:
        database = StateDatabase.open(f"sqlite:///{project_dir / 'state' / 'gnomon.db'}")
        moment = now or datetime.now(UTC).replace(tzinfo=None)
        name = f"{role}-{moment.timestamp()}"
        _, text = KeyRing(database).make(name, role, moment, days)
        database.close()
        return {"Authorization": f"Bearer {text}"}

    return make


# Answers ------------------------------------------------------------------------------------


def test_an_answer_is_the_engines_with_intervals_units_and_provenance(client: TestClient, engine: Engine) -> None:
    told = client.post("/v1/query", json=WEEKLY).json()
    result = engine.query(**WEEKLY)
    assert told["columns"] == result.table.column_names
    assert [row["views"] for row in told["rows"]] == result.table["views"].to_pylist()
    assert told["units"]["low_quality_content_rate"] == result.units["low_quality_content_rate"].to_pylist()
    bounds = zip(
        told["intervals"]["low_quality_content_rate"], result.intervals["low_quality_content_rate"], strict=True
    )
    # Sums of fractions in two runs may differ in their last digits.
    assert all(
        pair == ([each.low, each.high] if each else None) or pair == pytest.approx([each.low, each.high])
        for pair, each in bounds
    )
    assert told["provenance"]["definition_version"] == engine.manifest.version
    assert told["provenance"]["data_version"] == engine.data_version
    assert any("matures" in note for note in told["provenance"]["notes"])


def test_an_address_asks_the_same_question_as_a_body(client: TestClient) -> None:
    words = "metrics=low_quality_content_rate&metrics=views&group_by=metric_time__week&order_by=metric_time__week"
    assert client.get(f"/v1/query?{words}").content == client.post("/v1/query", json=WEEKLY).content


def test_csv_and_arrow_hold_the_same_rows(client: TestClient, engine: Engine) -> None:
    table = engine.query(**WEEKLY).table
    lines = client.post("/v1/query", json={**WEEKLY, "format": "csv"}).text.splitlines()
    assert lines[0] == ",".join(table.column_names)
    assert len(lines) == table.num_rows + 1
    answer = client.post("/v1/query", json={**WEEKLY, "format": "arrow"})
    read = pa.ipc.open_stream(answer.content).read_all()
    assert read.replace_schema_metadata(None).equals(table.replace_schema_metadata(None))
    assert json.loads(read.schema.metadata[b"gnomon"])["provenance"]["data_version"] == engine.data_version


def test_a_filter_in_parts_is_the_filter_in_words(client: TestClient) -> None:
    parts = {"field": "creator__tier", "op": "in", "value": ["gold", "it's"]}
    words = "{{ Dimension('creator__tier') }} IN ('gold', 'it''s')"
    first, second = (
        client.post("/v1/query", json={"metrics": ["posts"], "where": [where]}).json()["rows"]
        for where in (parts, words)
    )
    assert first == second != []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"field": "creator__tier", "op": "is", "value": "gold"}, "unknown operator 'is'"),
        ({"field": "creator__tier", "op": "in", "value": "gold"}, "takes a list"),
        ({"field": "creator__tier", "op": "between", "value": [1]}, "takes a list of two values"),
        ({"field": "creator__tier", "op": "is null", "value": 1}, "takes no value"),
        ({"field": "creator__tier", "op": "="}, "takes one value"),
        ({"field": "creator'__tier", "op": "=", "value": 1}, "is not a name"),
        ({"field": "creator__tier", "op": "=", "value": 10**400}, "Could not convert"),
    ],
)
def test_a_filter_that_its_operator_does_not_fit_is_refused(client: TestClient, condition: Any, said: str) -> None:
    refused = client.post("/v1/query", json={"metrics": ["posts"], "where": [condition]})
    assert refused.status_code == 400
    assert said in refused.json()["text"]


def test_an_unchanged_answer_is_not_sent_again(client: TestClient) -> None:
    first = client.post("/v1/query", json=WEEKLY)
    again = client.post("/v1/query", json=WEEKLY, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.post("/v1/query", json={**WEEKLY, "limit": 3}, headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_pages_put_together_are_the_whole_answer(client: TestClient, engine: Engine) -> None:
    asked = {"metrics": ["views"], "group_by": ["metric_time__day", "creator__tier"]}
    asked["order_by"] = ["metric_time__day", "creator__tier"]
    rows: list[Any] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = client.post("/v1/query", json={**asked, "page_size": 100, "cursor": cursor}).json()
        rows, cursor, pages = [*rows, *page["rows"]], page["next_cursor"], pages + 1
    whole = engine.query(**asked).table
    assert pages > 2
    assert [row["views"] for row in rows] == whole["views"].to_pylist()


def test_a_page_of_another_question_is_gone_and_a_made_up_one_is_refused(client: TestClient) -> None:
    cursor = client.post("/v1/query", json={**WEEKLY, "page_size": 2}).json()["next_cursor"]
    other = client.post("/v1/query", json={**WEEKLY, "metrics": ["views"], "page_size": 2, "cursor": cursor})
    assert (other.status_code, other.json()["kind"]) == (410, "changed")
    for made_up in ("x", "WzEsMl0=", "WzIsICJ4IiwgMF0="):
        assert client.post("/v1/query", json={**WEEKLY, "cursor": made_up}).status_code == 400


def test_an_answer_of_too_many_rows_is_refused_and_never_cut(client: TestClient) -> None:
    refused = client.post(
        "/v1/query", json={"metrics": ["views"], "group_by": ["metric_time__day", "creator__tier", "creator__region"]}
    )
    assert (refused.status_code, refused.json()["kind"]) == (413, "too_large")
    assert "page_size" in refused.json()["text"]


def test_a_question_that_runs_too_long_is_stopped(service: Service) -> None:
    """With no time at all nothing is ever answered, but the engine is free for the next question."""
    hurried = replace(service, limits=ServeLimits(seconds=0.0))
    app = create_app(hurried)
    refused = TestClient(app).post(
        "/v1/query", json={"metrics": ["likes"], "group_by": ["creator"], "order_by": ["creator"]}
    )
    assert (refused.status_code, refused.json()["kind"]) == (408, "stopped")


# Definitions --------------------------------------------------------------------------------


def test_definitions_dimensions_values_and_lineage_are_there(client: TestClient, engine: Engine) -> None:
    assert [each["name"] for each in client.get("/v1/metrics").json()] == sorted(engine.manifest.metrics)
    told = client.get("/v1/metrics/appeal_overturn_rate").json()
    assert told["owner"]
    shared = client.get("/v1/dimensions?metrics=gmv&metrics=orders").json()["names"]
    assert "metric_time" in shared
    assert client.get("/v1/values/creator__tier").json()["values"][:2] == ["bronze", "gold"]
    assert client.get("/v1/values/creator__tier?search=OL").json()["values"] == ["gold"]
    parents = client.get("/v1/metrics/appeal_overturn_rate/lineage").json()["parents"]
    assert parents["metric.appeal_overturn_rate"]
    assert "source.gnomon.raw.appeals" in parents
    names = {each["name"] for each in client.get("/v1/saved-queries").json()}
    assert "north_star_weekly" in names


def test_a_plan_is_told_and_nothing_is_run(client: TestClient) -> None:
    told = client.post("/v1/plan", json=WEEKLY).json()
    assert told["sql"].startswith("WITH") or told["sql"].startswith("SELECT")
    assert told["why"]


def test_the_program_says_that_it_lives_and_what_it_serves(client: TestClient, engine: Engine) -> None:
    assert client.get("/v1/health").json() == {"is_alive": True}
    ready = client.get("/v1/ready").json()
    assert ready == {"is_ready": True, "data_version": engine.data_version, "is_behind": False, "withdrawn_rollups": []}
    client.post("/v1/query", json=WEEKLY)
    assert 'gnomon_questions_total{outcome="answered"}' in client.get("/metrics").text


def test_every_route_is_described_with_its_refusals(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path, verbs in described["paths"].items():
        for verb in verbs.values():
            assert verb["description"], path
            assert path.startswith("/v1/") or path == "/metrics"
            assert {"200"} <= set(verb["responses"])


# Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "said"),
    [
        ("/v1/query", {"metrics": ["veiws"]}, 400, "question", "Did you mean 'views'"),
        ("/v1/query", {"metrics": ["views"], "groupby": []}, 422, "question", "groupby"),
        ("/v1/query", {"metrics": ["views"], "limit": "3"}, 422, "question", "limit"),
        ("/v1/query", {"metrics": ["ecosystem_health_index"]}, 400, "question", "refused until"),
        ("/v1/query", {"metrics": ["views"], "where": ["1 = 1; drop table x"]}, 400, "question", ""),
        ("/v1/nothing", {}, 404, "question", "/openapi.json"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    client: TestClient, path: str, body: Any, status: int, kind: str, said: str
) -> None:
    refused = client.post(path, json=body)
    assert (refused.status_code, refused.json()["kind"]) == (status, kind)
    assert said in refused.json()["text"]


# Who may ask --------------------------------------------------------------------------------


def test_a_role_sees_its_rows_only_and_no_hidden_attribute(
    client: TestClient, engine: Engine, make_key: Callable[..., dict[str, str]]
) -> None:
    key = make_key("analyst_id")
    asked = {"metrics": ["views"], "group_by": ["creator__region"]}
    # The unrestricted answer is kept already, and is not what the role gets.
    assert len(client.post("/v1/query", json=asked).json()["rows"]) > 1
    told = client.post("/v1/query", json=asked, headers=key).json()
    whole = engine.query(["views"], where=["{{ Dimension('creator__region') }} = 'ID'"]).table["views"].to_pylist()
    assert told["rows"] == [{"creator__region": "ID", "views": whole[0]}]
    assert "of the rows that role 'analyst_id' may see" in told["provenance"]["notes"]
    for hidden in (
        {"metrics": ["views"], "group_by": ["creator"]},
        {"metrics": ["views"], "where": ["{{ Entity('creator') }} = 'a'"]},
    ):
        refused = client.post("/v1/query", json=hidden, headers=key)
        assert (refused.status_code, refused.json()["kind"]) == (403, "access")
    assert client.get("/v1/values/creator__region", headers=key).json()["values"] == ["ID"]
    assert "creator" not in client.get("/v1/dimensions?metrics=views", headers=key).json()["names"]


def test_a_role_with_a_smallest_cell_sees_no_small_cells(
    client: TestClient, engine: Engine, make_key: Callable[..., dict[str, str]]
) -> None:
    key = make_key("partner")
    asked = {"metrics": ["views", "posts"], "group_by": ["metric_time__month", "creator__region", "creator__tier"]}
    asked["order_by"] = ["-views"]
    told = client.post("/v1/query", json=asked, headers=key).json()
    whole = {
        (str(row["metric_time__month"])[:10], row["creator__region"], row["creator__tier"]): row
        for row in engine.query(**asked).table.to_pylist()
    }
    hidden = [row for row in told["rows"] if row["is_suppressed"]]
    assert len(told["rows"]) == len(whole) > len(hidden) > 0
    assert told["provenance"]["suppressed"] == {"rows": len(hidden), "least": 10, "units": ["creator"]}
    assert f"{len(hidden)} of {len(whole)} rows are hidden" in told["provenance"]["nulls"]["views"]
    assert all(row["views"] is None and row["posts"] is None for row in hidden)
    for row in told["rows"]:
        if not row["is_suppressed"]:
            right = whole[row["metric_time__month"], row["creator__region"], row["creator__tier"]]
            assert (row["views"], row["posts"]) == (right["views"], right["posts"])
    assert told["rows"][-len(hidden) :] == hidden, "a hidden row has no place in the order"
    pages = client.post("/v1/query", json={**asked, "page_size": 5}, headers=key).json()
    assert pages["rows"] == told["rows"][:5]
    lines = client.post("/v1/query", json={**asked, "format": "csv"}, headers=key).text.splitlines()
    assert lines[0].endswith("views,posts,is_suppressed")
    assert lines[-1].endswith(",,,True")
    for refused in (
        {"metrics": ["orders"]},
        {"metrics": ["views"], "group_by": ["content"]},
        {"metrics": ["views"], "where": ["{{ Metric('posts', group_by=['creator']) }} > 5"]},
    ):
        answer = client.post("/v1/query", json=refused, headers=key)
        assert (answer.status_code, answer.json()["kind"]) == (403, "access"), answer.json()
    assert client.get("/v1/values/creator", headers=key).status_code == 403
    assert "ID" in client.get("/v1/values/creator__region?search=D", headers=key).json()["values"]
    assert "orders" not in {each["name"] for each in client.get("/v1/metrics", headers=key).json()}
    names = client.get("/v1/dimensions?metrics=views", headers=key).json()["names"]
    assert "creator__tier" in names
    assert not {"creator", "content"} & set(names)


def test_a_role_asks_for_its_metrics_only_wherever_they_stand(
    client: TestClient, make_key: Callable[..., dict[str, str]]
) -> None:
    key = make_key("shop_team")
    assert [each["name"] for each in client.get("/v1/metrics", headers=key).json()] == ["gmv", "orders"]
    assert (
        client.post(
            "/v1/query", json={"metrics": ["gmv", "gmv__share"], "group_by": ["creator__region"]}, headers=key
        ).status_code
        == 200
    )
    through = "{{ Metric('views', group_by=['creator']) }} > 5"
    for body in (
        {"metrics": ["views"]},
        {"metrics": ["views__share"], "group_by": ["creator__tier"]},
        {"metrics": ["gmv"], "where": [through]},
    ):
        refused = client.post("/v1/query", json=body, headers=key)
        assert (refused.status_code, refused.json()["kind"]) == (403, "access"), refused.json()
    assert client.get("/v1/metrics/views", headers=key).status_code == 403
    assert client.post("/v1/plan", json={"metrics": ["views"]}, headers=key).status_code == 403
    assert {each["name"] for each in client.get("/v1/saved-queries", headers=key).json()} == set()


def test_a_role_asks_so_many_questions_a_minute(client: TestClient, make_key: Callable[..., dict[str, str]]) -> None:
    key = make_key("slow")
    statuses = [client.post("/v1/query", json=WEEKLY, headers=key).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.post("/v1/query", json=WEEKLY, headers=key)
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_a_key_that_is_expired_or_made_up_opens_nothing(
    client: TestClient, make_key: Callable[..., dict[str, str]]
) -> None:
    expired = make_key("owner", days=1, now=datetime(2020, 1, 1))
    good = make_key("owner")
    assert client.post("/v1/query", json=WEEKLY, headers=good).status_code == 200
    changed = {"Authorization": good["Authorization"][:-1] + ("x" if good["Authorization"][-1] != "x" else "y")}
    texts = set()
    for headers in (expired, changed, {"Authorization": "Bearer gnomon_00_x"}):
        refused = client.post("/v1/query", json=WEEKLY, headers=headers)
        assert refused.status_code == 401
        texts.add(refused.json()["text"])
    assert len(texts) == 1, "what is wrong with a key is nobody's business"
    assert client.post("/v1/query", json=WEEKLY, headers={"Authorization": "Basic eA=="}).status_code == 401


def sign(project_dir: Path, **claims: object) -> dict[str, str]:
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "gnomon_role": "shop_team"}
    told["exp"] = datetime.now(UTC) + timedelta(minutes=5)  # type: ignore[assignment]
    text = jwt.encode({**told, **claims}, (project_dir / "private.pem").read_text(), algorithm="ES256")
    return {"Authorization": f"Bearer {text}"}


def test_a_signed_token_is_its_role_and_a_bad_one_nobody(client: TestClient, project_dir: Path) -> None:
    for claims in ({}, {"exp": 10**14}):
        headers = sign(project_dir, **claims)
        assert client.post("/v1/query", json={"metrics": ["gmv"]}, headers=headers).status_code == 200
        assert client.post("/v1/query", json=WEEKLY, headers=headers).status_code == 403
    for wrong in (
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"gnomon_role": None},
    ):
        assert (
            client.post("/v1/query", json={"metrics": ["gmv"]}, headers=sign(project_dir, **wrong)).status_code == 401
        )
    unsigned = jwt.encode({"sub": "ana", "gnomon_role": "owner"}, None, algorithm="none")
    headers = {"Authorization": f"Bearer {unsigned}"}
    assert client.post("/v1/query", json={"metrics": ["gmv"]}, headers=headers).status_code == 401


def test_without_an_anonymous_role_nobody_is_let_in_without_a_key(project_dir: Path) -> None:
    closed = open_service(project_dir, ServeLimits())
    with TestClient(create_app(closed)) as client:
        refused = client.post("/v1/query", json=WEEKLY)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert client.get("/v1/metrics").status_code == 401
        assert client.get("/v1/health").status_code == 200


def test_every_question_is_in_the_log_with_what_came_of_it(
    client: TestClient, service: Service, engine: Engine, make_key: Callable[..., dict[str, str]]
) -> None:
    client.post("/v1/query", json={**WEEKLY, "limit": 1}, headers=make_key("analyst_id"))
    client.post("/v1/query", json={"metrics": ["veiws"]})
    service.log.flush()
    refused, answered = service.log.read(2)
    assert (refused["outcome"], refused["caller"], refused["row_count"]) == ("question", "anonymous", None)
    assert "Did you mean" in refused["reason"]
    assert answered["role"] == "analyst_id"
    assert answered["caller"].startswith("key:analyst_id")
    assert (answered["outcome"], answered["row_count"], answered["question"]) == ("answered", 1, {**WEEKLY, "limit": 1})
    assert answered["definition_version"] == engine.manifest.version


def test_a_condition_is_asked_from_python_too(engine: Engine) -> None:
    there = engine.query(["posts"], where=[Condition("creator__tier", "=", "gold")]).table
    assert there.equals(engine.query(["posts"], where=["{{ Dimension('creator__tier') }} = 'gold'"]).table)
