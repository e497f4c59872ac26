"""The sample company's documents as `make run` brings them: what no past ticket holds is told and cited."""

import asyncio
import re

from deploy.local import SAMPLE_DOCUMENTS, SAMPLE_TICKETS
from store.knowledge import folder
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to
from tests.fixtures_workspace import SUPPORT, Person

ONLY_IN_A_DOCUMENT = "white torches spoil everybody's eyes for twenty minutes"
QUESTION = "Why is a white torch bad on the field in a dusk evening?"


async def test_what_only_a_document_says_is_told_and_cited(bot: RunningBot, ana: Person, model: ScriptedModel) -> None:
    assert "torches spoil" not in SAMPLE_TICKETS.read_text()
    documents = bot.services.settings.documents
    folder.add([SAMPLE_DOCUMENTS], documents)
    changes = await asyncio.to_thread(folder.update, bot.store, documents)
    assert changes.problems == {}
    await bot.store.read(bot.services.shelf.refresh)

    def cite(body: dict[str, object]) -> str:
        told = str(body["messages"])
        number = re.findall(r"\[(\d+)\]", told[: told.index(ONLY_IN_A_DOCUMENT)])[-1]
        return f"It spoils everybody's eyes for twenty minutes [{number}]."

    model.reply = cite
    message = await answer_to(ana, await ana.post(SUPPORT, f"@nightschool {QUESTION}"))
    (line,) = [block["elements"][0]["text"] for block in message["blocks"] if "📄" in str(block)]
    assert re.fullmatch(r"📄 From: \[\d\] Dusk evenings", line)
