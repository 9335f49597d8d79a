"""Hostile filters and names over HTTP: answers as described only, with nothing in them that the role may not see."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon import Engine
from gnomon.planner import Question
from gnomon.planner.conditions import OPERATORS
from gnomon.publish import publish
from gnomon.serve.http.bodies import QueryQuestion
from gnomon.serve.http.writing import write_answer
from tests.fuzz.mutations import TEXTS, mutate_questions, write_questions
from tests.generations import build_small
from tests.serving.conftest import make_key
from tests.serving.process import run_server

REQUESTS, NIGHTLY_REQUESTS = 300, int(os.environ.get("GNOMON_HOSTILE_REQUESTS", "10000"))
ACCESS = """
roles:
  gold_only:
    why: A role that sees the posts of gold creators only.
    rows: ["{{ Dimension('creator__tier') }} = 'gold'"]
  no_kinds:
    why: A role that is not told of what kind a post is.
    hidden: [kind]
    metrics: [posts, views, stamp]
"""
# What stands in rows of other creators, and what says the kind of a post; no question holds a part of either.
SECRETS = {"owner": None, "gold_only": "zqrow", "no_kinds": "zqkind"}
MARKS = (
    "update dim_creators set creator_id = 'zqrow' || creator_id, tier = 'zqrow' || tier where tier <> 'gold'",
    "update fct_posts set kind = 'zqkind' || kind",
    """update fct_posts set creator_id = 'zqrow' || creator_id, post_id = 'zqrow' || post_id, kind = 'zqrow' || kind
       where creator_id not in (select creator_id from dim_creators where tier = 'gold')""",
)
CUT = (
    "delete from dim_creators where tier <> 'gold'",
    "delete from fct_posts where creator_id not in (select creator_id from dim_creators)",
)
# Names of tables and files, and words of programs that failed.
INSIDE = re.compile(
    r"fct_|dim_creators|dim_days|rollup_|gnomon_build|\.duckdb|\.py\b|Traceback|LINE \d|/tmp/|site-packages"
)
TIER = "{{ Dimension('creator__tier') }}"
CORPUS = (
    Question(("posts", "views", "stamp"), ("metric_time__week",), order_by=("metric_time__week",)),
    Question(("posts",), ("creator__tier",), where=(f"{TIER} = 'gold'",)),
    Question(("views",), ("post__kind",), where=(f"{TIER} <> 'gold' or {TIER} is null",)),
    Question(("median_views",), ("creator__tier", "metric_time__month")),
    Question(("posts",), ("creator",), order_by=("-posts",), limit=5),
    Question(("posts",), ("post",), where=("{{ Entity('creator') }} > 'c2'",)),
    Question(("stamp",), ("metric_time__day",), where=("{{ TimeDimension('metric_time', 'day') }} >= '2026-02-01'",)),
    Question(("views", "views__share"), ("post__kind",)),
    Question(("views", "views__previous"), ("metric_time__week",)),
    Question(("posts",), ("post__is_bad",), where=("{{ Metric('views', group_by=['creator']) }} > 90",)),
    Question(("views",), ("creator",), top=3, start=datetime(2026, 1, 5), end=datetime(2026, 2, 5)),
    Question(("posts",), where=("{{ Dimension('post__kind') }} like '%v%' and length({{ Entity('post') }}) > 3",)),
    Question(group_by=("creator__tier", "post__kind")),
    Question(("posts",), ("metric_time__week",), time_zone="Asia/Shanghai"),
)
FIELDS = ("creator__tier", "post__kind", "creator", "post", "metric_time__day", "post__post_date__month", "tier", "")
SCALARS = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.sampled_from([10**400, -(2**70), 1e308]))
CONDITIONS = st.fixed_dictionaries({
    "field": st.sampled_from(FIELDS) | TEXTS,
    "op": st.sampled_from(OPERATORS) | st.text(max_size=5),
    "value": SCALARS | st.none() | st.lists(SCALARS, max_size=3),
})  # fmt: skip
# Most of these can be asked, whatever the text is.
FITTING = st.fixed_dictionaries({
    "field": st.sampled_from(FIELDS[:4]),
    "op": st.sampled_from(("=", "!=", "<>", "<", "<=", ">", ">=", "like", "not like", "ilike")),
    "value": TEXTS,
})  # fmt: skip
NAMES = st.sampled_from(("posts", "views", "creator__tier", "creator", "post__kind", "metric_time__day")) | TEXTS


@dataclass(frozen=True)
class Request:
    """What is asked, by which route."""

    method: str
    route: str
    path: str
    body: Any = None


@dataclass
class Target:
    """A served project, its description, and the same project with nothing but what the role may see."""

    connection: HTTPConnection
    keys: dict[str, str]
    described: dict[str, Any]
    cut: Engine
    folder: Path
    seen: Counter[str] = field(default_factory=Counter)

    def ask(self, role: str, request: Request) -> None:
        headers = {"Authorization": f"Bearer {self.keys[role]}", "Content-Type": "application/json"}
        content = None if request.body is None else json.dumps(request.body).encode()
        self.connection.request(request.method, request.path, content, headers)
        answer = self.connection.getresponse()
        written, media = answer.read(), (answer.headers["Content-Type"] or "").partition(";")[0]
        # The next request opens another one: an idle connection is closed by the server after some seconds.
        self.connection.close()
        self.check_described(request, answer.status, media, written)
        text = written.decode(errors="replace")
        secret = SECRETS[role]
        assert secret is None or secret not in text, text
        assert str(self.folder) not in text, text
        if answer.status != 200:
            assert not INSIDE.search(text), text
        elif role == "gold_only" and request.path == "/v1/query" and media == "application/json":
            self.check_rows(request.body, json.loads(written)["rows"])
        self.seen[f"{request.method} {request.route} {answer.status}"] += 1

    def check_described(self, request: Request, status: int, media: str, written: bytes) -> None:
        """Hold an answer against the OpenAPI document: its status is there, and it has the form that stands there."""
        assert status < 500, written
        responses = self.described["paths"][request.route][request.method.lower()]["responses"]
        # A name with a slash is the address of nothing.
        expected = responses["400"] if status == 404 else responses[str(status)]
        assert media in expected["content"], (status, media)
        schema = expected["content"][media].get("schema")
        if media == "application/json" and schema:
            jsonschema.Draft202012Validator({**schema, "components": self.described["components"]}).validate(
                json.loads(written)
            )

    def check_rows(self, body: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        """Hold rows to be those of a project that has no others. Which of equals are the first is not said."""
        if body.get("top") is not None:
            return
        asked = QueryQuestion.model_validate_json(json.dumps({**body, "limit": None})).to_arguments()
        whole = Counter(map(_plain, json.loads(write_answer(self.cut.query(**asked), "json", 0, None, None))["rows"]))
        told = Counter(map(_plain, rows))
        assert told <= whole, (told - whole, body)
        assert told == whole or body.get("limit") is not None, (whole - told, body)


def _plain(row: dict[str, Any]) -> str:
    """A row as a text. The last digits of sums of fractions hang on the order of rows."""
    return json.dumps({name: float(f"{x:.9g}") if isinstance(x, float) else x for name, x in row.items()})


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    whole, part = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("part")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS", "GNOMON_STATE"):
            patch.delenv(name, raising=False)
        build_small(part).execute(*MARKS, *CUT)
        small = build_small(whole)
        small.execute(*MARKS)
        publish(whole, environ={})
        (whole / "access.yml").write_text(ACCESS, encoding="utf-8")
        keys = {role: make_key(whole, role) for role in SECRETS}
        cut = Engine.open(part, working=True)
        with (
            run_server(whole, "--timeout", "20") as server,
            closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection,
        ):
            connection.request("GET", "/openapi.json")
            described = json.loads(connection.getresponse().read())
            yield Target(connection, keys, described, cut, whole)
        cut.close()
    assert server.said == []


def write_body(question: Question, conditions: list[dict[str, Any]], form: str) -> dict[str, Any]:
    """What the API takes of a question; filters of rows are filters like others there."""
    body = {
        "metrics": question.metrics,
        "group_by": question.group_by,
        "where": [*question.where, *question.row_filters, *conditions],
        "order_by": question.order_by,
        "limit": question.limit,
        "start": None if question.start is None else question.start.isoformat(sep=" "),
        "end": None if question.end is None else question.end.isoformat(sep=" "),
        "top": question.top,
        "time_zone": question.time_zone,
        "format": form,
    }
    return {name: value for name, value in body.items() if value not in (None, (), [])}


def write_questions_over_http() -> st.SearchStrategy[Request]:
    questions = mutate_questions(CORPUS) | mutate_questions(CORPUS) | write_questions()
    forms = st.sampled_from(["json"] * 4 + ["csv", "arrow"])
    bodies = st.builds(write_body, questions, st.just([]) | st.lists(CONDITIONS, max_size=2), forms)
    fitting = st.builds(write_body, st.sampled_from(CORPUS), st.lists(FITTING, max_size=2), forms)

    def write_plan(body: dict[str, Any]) -> Request:
        return Request("POST", "/v1/plan", "/v1/plan", {key: body[key] for key in body if key != "format"})

    def write_address(body: dict[str, Any]) -> Request:
        return Request("GET", "/v1/query", f"/v1/query?{urlencode(body, doseq=True, errors='surrogatepass')}")

    asks = (bodies | fitting).map(lambda body: Request("POST", "/v1/query", "/v1/query", body))
    return asks | asks | asks | bodies.map(write_plan) | bodies.map(write_address)


def write_names() -> tuple[st.SearchStrategy[Request], ...]:
    """Names in the address, by route."""
    quoted = NAMES.map(lambda name: quote(name, safe="", errors="surrogatepass") or "-")

    def get(route: str, query: st.SearchStrategy[str] = st.just("")) -> st.SearchStrategy[Request]:  # noqa: B008
        return st.builds(lambda name, more: Request("GET", route, route.replace("{name}", name) + more), quoted, query)

    searches = st.just("") | quoted.map(lambda text: f"?search={text}&limit=7")
    several = st.lists(quoted, max_size=3).map(lambda names: "?" + "&".join(f"metrics={name}" for name in names))
    return (
        get("/v1/metrics/{name}"),
        get("/v1/metrics/{name}/lineage"),
        get("/v1/values/{name}", searches),
        get("/v1/dimensions", several),
    )


def check(target: Target, requests: int) -> None:
    """Three in four are questions; the names have an equal share each, whatever is drawn."""
    names = write_names()
    send(target, write_questions_over_http(), requests * 3 // 4)
    for asked in names:
        send(target, asked, requests // (4 * len(names)))
    print(f"\n{dict(sorted(target.seen.items()))}")
    assert len({name.split(" ")[1] for name in target.seen}) == 6
    assert any(name.endswith("/v1/query 200") for name in target.seen)


def send(target: Target, asked: st.SearchStrategy[Request], requests: int) -> None:
    @settings(
        max_examples=requests, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(st.sampled_from([*SECRETS]), asked)
    def hold(role: str, request: Request) -> None:
        target.ask(role, request)

    hold()


def test_hostile_questions_and_names_are_refused_as_described_and_give_nothing_away(target: Target) -> None:
    check(target, REQUESTS)


@pytest.mark.nightly
def test_hostile_questions_and_names_are_refused_as_described_and_give_nothing_away_at_length(target: Target) -> None:
    check(target, NIGHTLY_REQUESTS)


@pytest.mark.parametrize("question", CORPUS, ids=str)
def test_the_questions_that_are_made_hostile_are_answered_but_in_another_zone(
    target: Target, question: Question
) -> None:
    """Posts are kept by day: the days of another zone cannot be made of them."""
    outcome = f"POST /v1/query {400 if question.time_zone else 200}"
    before = target.seen[outcome]
    for role in SECRETS:
        target.ask(role, Request("POST", "/v1/query", "/v1/query", write_body(question, [], "json")))
    assert target.seen[outcome] > before
