"""The product as `make run` starts it looks its sample documents up, with the real model."""

import json

import pytest

from bench.product import Product
from tests.bot.test_sample_documents import ONLY_IN_A_DOCUMENT, QUESTION
from tests.e2e.test_story import answer_of, ask
from tests.fixtures_workspace import TOM, Person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def test_a_question_that_only_a_document_answers_is_answered_with_its_name_below(product: Product) -> None:
    async with Person(product.page, TOM) as tom:
        message = await ask(tom, QUESTION)
    assert "📄 From: [1] Dusk evenings" in json.dumps(message["blocks"], ensure_ascii=False)
    given = await answer_of(product, message)
    assert ONLY_IN_A_DOCUMENT in given.messages[0]["content"]
    assert given.passages[0]["source"] == "documents/08-dusk-evenings.md"
