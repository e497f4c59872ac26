import pytest

from bot.questions import mentions_bot, mentions_someone_else, plain_text, why_not
from store.settings import Settings

BOT = "U0NIGHT0001"


@pytest.mark.parametrize(
    ("slack", "plain"),
    [
        (f"<@{BOT}> hello", "hello"),
        (f"hello <@{BOT}|nightschool>!", "hello !"),
        ("ask <@U1|ana> or <@U2>", "ask @ana or @U2"),
        ("in <#C1|support>", "in #support"),
        ("<!here> and <!subteam^S1|@team>", "@here and @team"),
        ("<https://a.example|the docs> <https://b.example>", "the docs (https://a.example) https://b.example"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("nul\x00byte", "nulbyte"),
    ],
)
def test_slack_s_markup_becomes_plain_text(slack: str, plain: str) -> None:
    assert plain_text(slack, BOT) == plain


def test_who_is_addressed() -> None:
    assert mentions_bot(f"hi <@{BOT}>", BOT)
    assert not mentions_bot("hi <@U1>", BOT)
    assert mentions_someone_else("hi <@U1>", BOT)
    assert mentions_someone_else("<!here>", BOT)
    assert not mentions_someone_else(f"hi <@{BOT}>", BOT)


@pytest.mark.parametrize("text", ["Why?", "问题在哪里？", "3", "ça va", "a :wave:"])
def test_words_are_questions(text: str) -> None:
    assert why_not(Settings(), text) is None


@pytest.mark.parametrize("text", ["", " \n", ":wave:", ":+1::skin-tone-2:", "🎉🎉", "?!", "x" * 40_000, "🎉a" * 9_000])
def test_other_texts_get_a_sentence(text: str) -> None:
    sentence = why_not(Settings(), text)
    assert sentence is not None
    assert 20 < len(sentence) < 400
