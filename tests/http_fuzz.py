"""Requests that are made up from the OpenAPI description: none may be answered with a 500, or in
a way that the description does not tell of."""

import datetime as dt
import itertools
from collections import Counter

import hypothesis
import polars as pl
import schemathesis
from schemathesis.checks import CHECKS, load_all_checks

from lakehouse.errors import BadInput
from lakehouse.serve.http.live import View

load_all_checks()
ASKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
NAMES = ("sales", "nobody")


def _sales(asked: dict[str, str]) -> pl.DataFrame:
    if asked.keys() - {"since"}:
        raise BadInput(f"no parameter {next(iter(asked))[:80]!r}; there is: since")
    return pl.DataFrame(
        {
            "start": [dt.datetime(2025, 1, 1, tzinfo=dt.UTC)],
            "sales": pl.Series(["12.50"]).cast(pl.Decimal(18, 2)),
            "of": ["a"],
        }
    )


VIEWS: dict[str, View] = {"sales": _sales, "nobody": lambda _: pl.DataFrame()}


Tally = Counter[tuple[str, int]]


def fuzz(address: str, requests_each: int, seed: int = 1) -> tuple[Tally, list[str]]:
    """Answers by route and status, and what was wrong with them."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    faults: list[str] = []
    sent: Tally = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation, mode in itertools.product(operations, schemathesis.GenerationMode):
        if mode.is_negative and not list(operation.iter_parameters()):
            continue
        strategy = operation.as_strategy(generation_mode=mode)

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=requests_each,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=strategy)
        def send(case: schemathesis.Case) -> None:
            response = case.call()
            sent[case.path, response.status_code] += 1
            try:
                case.validate_response(response, checks=[CHECKS.get_one(n) for n in ASKED])
            except (AssertionError, ExceptionGroup) as error:
                faults.append(f"{case.as_curl_command()}: {response.status_code}: {error!r}")

        send()
    return sent, faults
