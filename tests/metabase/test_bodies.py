"""Every body that is sent fits our own strict form and Metabase's own description of its API."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from gnomon.publish.metabase import bodies
from gnomon.state import StateDatabase
from tests.conftest import SHARED
from tests.metabase.bench import Bench, open_bench
from tests.metabase.fake_server import Asked
from tests.metabase.rounds import live

FORMS: dict[tuple[str, str], tuple[type[bodies.Body], ...]] = {
    ("POST", "/api/database"): (bodies.DatabaseBody,),
    ("PUT", "/api/database/{id}"): (bodies.DatabaseChange,),
    ("POST", "/api/database/{id}/sync_schema"): (bodies.Nothing,),
    ("PUT", "/api/table/{id}"): (bodies.TableBody,),
    ("PUT", "/api/field/{id}"): (bodies.FieldBody,),
    ("POST", "/api/collection"): (bodies.CollectionBody,),
    ("PUT", "/api/collection/{id}"): (bodies.CollectionChange, bodies.Archive),
    ("POST", "/api/card"): (bodies.CardBody,),
    ("PUT", "/api/card/{id}"): (bodies.CardChange, bodies.Archive),
    ("POST", "/api/eid-translation/translate"): (bodies.EntityIds,),
    ("POST", "/api/dashboard"): (bodies.DashboardBody,),
    ("PUT", "/api/dashboard/{id}"): (bodies.DashboardChange, bodies.Archive),
    ("POST", "/api/notification"): (bodies.AlertBody,),
    ("PUT", "/api/notification/{id}"): (bodies.AlertBody, bodies.AlertArchive),
    ("POST", "/api/pulse"): (bodies.SubscriptionBody,),
    ("PUT", "/api/pulse/{id}"): (bodies.SubscriptionChange, bodies.SubscriptionArchive),
    ("POST", "/api/permissions/group"): (bodies.GroupBody,),
    ("PUT", "/api/permissions/group/{id}"): (bodies.GroupBody,),
    ("PUT", "/api/collection/graph"): (bodies.CollectionGraph,),
    ("PUT", "/api/permissions/graph"): (bodies.DatabaseGraph,),
}


@pytest.fixture(scope="module")
def sent() -> list[Asked]:
    """All that a whole life sends, but questions."""
    state = StateDatabase.open("sqlite://")
    with open_bench(state) as bench:
        live(bench)
        found = [each for each in bench.server.asked if each.verb != "GET"]
    state.close()
    return found


def name(asked: Asked) -> tuple[str, str]:
    return asked.verb, re.sub(r"/\d+", "/{id}", asked.path)


def test_everything_that_can_be_sent_is_sent_here(sent: list[Asked]) -> None:
    assert {name(each) for each in sent} == set(FORMS)


def fit(form: type[BaseModel], body: Any) -> bool:
    try:
        form.model_validate(body)
    except ValidationError:
        return False
    return True


def test_every_body_fits_a_strict_form(sent: list[Asked]) -> None:
    unfit = [each for each in sent if not any(fit(form, each.body) for form in FORMS[name(each)])]
    assert unfit == []


@pytest.mark.parametrize(
    "form", [form for form in dict.fromkeys(form for forms in FORMS.values() for form in forms) if form.model_fields]
)
def test_a_form_refuses_what_it_does_not_know(sent: list[Asked], form: type[bodies.Body]) -> None:
    body = next(each.body for each in sent if form in FORMS[name(each)] and fit(form, each.body))
    assert not fit(form, {**body, "dashbord": 1})


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    """Metabase's description of its API, from METABASE_OPENAPI (a path or an address) or beside the project."""
    stated = os.environ.get("METABASE_OPENAPI", str(SHARED / "metabase" / "openapi.json"))
    if stated.startswith(("http://", "https://")):
        with urllib.request.urlopen(stated, timeout=30) as answer:
            described = json.load(answer)
    elif Path(stated).is_file():
        described = json.loads(Path(stated).read_text(encoding="utf-8"))
    else:
        pytest.skip(f"Metabase's API description is not there: {stated}. METABASE_OPENAPI names another.")
    return loosen(described)  # type: ignore[no-any-return]


def loosen(node: Any) -> Any:
    """Read the description as its server does: what has a default need not be said, and several forms may fit."""
    if isinstance(node, list):
        return [loosen(each) for each in node]
    if not isinstance(node, dict):
        return node
    fresh = {("anyOf" if key == "oneOf" else key): loosen(each) for key, each in node.items()}
    properties = node.get("properties")
    if isinstance(node.get("required"), list) and isinstance(properties, dict):
        fresh["required"] = [each for each in node["required"] if "default" not in properties.get(each, {})]
    return fresh


def list_operations(openapi: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Every operation by its verb and path; two paths that differ in the name of a parameter are one."""
    paths = {each: re.sub(r"\{[\w-]+\}", "{id}", each).rstrip("/") for each in openapi["paths"]}
    return {(verb.upper(), path): said for each, path in paths.items() for verb, said in openapi["paths"][each].items()}


def errors_of(openapi: dict[str, Any], asked: Asked) -> Iterator[str]:
    verb, path = name(asked)
    operation = list_operations(openapi)[(verb, path)]
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return
    # A whole document, so that references lead somewhere.
    schema = {**content["application/json"]["schema"], "components": openapi["components"]}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(asked.body):
        yield f"{verb} {path}: {error.json_path}: {error.message[:200]}"


def test_every_body_fits_metabases_own_description(openapi: dict[str, Any], sent: list[Asked]) -> None:
    assert [error for each in sent for error in errors_of(openapi, each)] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/api/card", {"display": ""}),
        ("/api/card", {"type": "chart"}),
        ("/api/collection", {"name": None}),
        ("/api/dashboard", {"parameters": [{"id": "a", "type": "string"}]}),
        ("/api/notification", {"payload": {"card_id": 0}, "handlers": [{"channel_type": "x", "recipients": [{}]}]}),
        ("/api/pulse", {"dashboard_id": "one"}),
    ],
)
def test_the_description_tells_bodies_that_are_wrong(
    openapi: dict[str, Any], sent: list[Asked], path: str, wrong: dict[str, Any]
) -> None:
    right = next(each for each in sent if (each.verb, each.path) == ("POST", path))
    assert list(errors_of(openapi, Asked("POST", path, {**right.body, **wrong}, 200))) != []


def test_every_path_that_is_asked_is_one_of_metabases(openapi: dict[str, Any], bench: Bench) -> None:
    live(bench)
    asked = {name(each) for each in bench.server.asked}
    assert asked - set(list_operations(openapi)) == set()
