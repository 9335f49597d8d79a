"""Whatever is sent to the API is answered or refused as its own description says, and never with a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.journey.conftest import Built, built_sample, serve, shared_folder  # noqa: F401

EXAMPLES, NIGHTLY_EXAMPLES = 15, 400


@pytest.fixture(scope="module")
def address(built_sample: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: F811
    with serve(built_sample, tmp_path_factory.mktemp("project"), "--anonymous", "owner", "--timeout", "10") as address:
        yield address


def test_no_request_leads_to_a_fault_or_an_answer_that_is_not_described(address: str) -> None:
    check(address, EXAMPLES)


@pytest.mark.nightly
def test_no_request_leads_to_a_fault_or_an_answer_that_is_not_described_at_length(address: str) -> None:
    check(address, NIGHTLY_EXAMPLES)


def check(address: str, examples: int) -> None:
    """Try every operation of the description with so many requests of Schemathesis's."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    seen: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            # What has the right form may still ask for what is not there.
            answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
            seen[f"{case.method} {case.path} {answer.status_code}"] += 1

        ask()
    print(f"\n{dict(sorted(seen.items()))}")
    assert len({name.split(" ")[1] for name in seen}) >= 10
