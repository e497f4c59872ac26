"""The documents that an answer was told are named below it, and only their hosts may be linked."""

from store.tables import Answer
from tests.bot.conftest import RunningBot
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.fixtures_workspace import SUPPORT, Person

PASSAGES = [
    {"title": "VPN & <you>", "url": "https://wiki.corp/vpn"},
    {"title": "Said twice", "url": "https://wiki.corp/vpn"},
    {"title": "No address"},
    {"title": "Hidden", "url": "javascript:alert(1)"},
    {"title": "Broken|out", "url": "https://wiki.corp/a>b|c"},
]


async def test_passages_are_named_with_links_below_the_answer(
    bot: RunningBot, ana: Person, model: ScriptedModel
) -> None:
    model.reply = lambda _: "See [the page](https://wiki.corp/vpn), not [this](https://evil.example/vpn)."
    model.silent = True
    model.gate.clear()
    ts = await ana.post(SUPPORT, "@nightschool vpn?")
    await until(lambda: len(model.requests) == 1)
    with bot.store.writing() as session:
        session.get_one(Answer, 1).passages = PASSAGES
    model.gate.set()
    message = await answer_to(ana, ts)
    (line,) = [block["elements"][0]["text"] for block in message["blocks"] if "📄" in str(block)]
    assert line == "📄 From: <https://wiki.corp/vpn|VPN &amp; &lt;you&gt;> · No address · Hidden · Broken|out"
    await recorded(bot)
    assert rows(bot, Answer)[0].passages == PASSAGES


async def test_an_answer_without_passages_names_none(bot: RunningBot, ana: Person) -> None:
    message = await answer_to(ana, await ana.post(SUPPORT, "@nightschool vpn?"))
    assert "📄" not in str(message["blocks"])
