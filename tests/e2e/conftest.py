"""One whole product for the stories: started by `nightschool run`, as `make run` does."""

import json
from collections.abc import Iterator

import pytest

from bench.product import ROOT, Product, running_product
from serving.base_model import BaseModel

COMPANY = ROOT / "deploy" / "sample_company"
STORY = json.loads((COMPANY / "story.json").read_text())
TICKETS = COMPANY / "tickets.jsonl"


@pytest.fixture(scope="package")
def product(base_model: BaseModel) -> Iterator[Product]:
    """Everything that `make run` starts, with the sample company, in a home of its own."""
    with running_product(SAMPLE_COMPANY="true", SERVING__MAX_TOKENS="96") as running:
        yield running
