"""What admins and people who ask about privacy can come to see, at its longest, fits into what Slack takes."""

import pytest

from bot.blocks.channel import channel_modal, choose_channel_modal
from bot.blocks.digest import digest
from bot.blocks.home.versions import STATE_LABELS, STEP_LABELS, Step, parse_step, step_value
from bot.blocks.privacy import Standing, channel_notice, person_notice, standing
from bot.blocks.role import role_modal
from bot.blocks.step import QUESTIONS, step_modal
from bot.blocks.trial import trial_began
from store.digests import Trouble, Week
from store.people import Kept
from store.settings import NightSettings
from store.tables import Channel, Night, Person, now
from store.usage import Figures, Span
from store.words import AdapterState, Answering, NightState
from tests.bot.big import LONG, move
from tests.bot.test_blocks import assert_openable, assert_sendable

EVERYTHING = NightSettings(learn_private_channels=True, learn_direct_messages=True)


@pytest.mark.parametrize("step", list(QUESTIONS))
def test_the_question_before_a_step_fits(step: Step) -> None:
    assert_openable(step_modal(step, "v123456", "{}"))
    assert_openable(step_modal(step, "base", "{}"))


def test_the_forms_of_channels_and_roles_fit() -> None:
    full = Channel(
        team_id="T", channel_id="C1", answering=Answering.OFF, min_confidence=1 / 3, trainable=False, documents=False,
        persona=LONG[:600], on_call="S0123456",
    )  # fmt: skip
    plain = Channel(team_id="T", channel_id="C1", answering=Answering.MENTIONS)
    for view in (channel_modal(full), channel_modal(plain), choose_channel_modal(), role_modal()):
        assert_openable(view)


def test_a_full_and_an_empty_digest_fit() -> None:
    span = Span.last(7, now())
    full = Week(
        span, Figures(10**6, 10**6, 10**9, 10**6, 10, 9, 9, 9e5), Figures(), [Trouble(LONG, 99)] * 5,
        [move("v1")] * 50, [Night(key="k", state=NightState.FAILED)] * 9,
    )  # fmt: skip
    empty = Week(span, Figures(), Figures(), [], [], [])
    for week in (full, empty):
        assert_sendable(digest(week))
    assert empty.is_empty
    assert "Nothing in public channels" in str([block.to_dict() for block in digest(empty).blocks or []])


@pytest.mark.parametrize("opted_out", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_privacy_fits_and_says_what_holds(opted_out: bool, named: bool) -> None:
    person = Person(team_id="T", person_id="U1", learning_opt_out=opted_out, fix_notices=not opted_out)
    shown = standing(Standing(Kept(10**6, 2, 1, 4, 5), person, named, ["U1"] * 50), EVERYTHING)
    assert_sendable(shown)
    text = str([block.to_dict() for block in shown.blocks or []])
    assert ("Leave me out" in text) == (not opted_out and not named)
    assert ("an admin wrote that into the settings" in text) == named
    for notice in (person_notice(EVERYTHING), channel_notice(EVERYTHING, "U1"), trial_began("v1", now())):
        assert_sendable(notice)


def test_every_step_and_state_has_its_words_and_only_ours_are_read() -> None:
    assert set(STEP_LABELS) == set(Step)
    assert set(STATE_LABELS) == set(AdapterState)
    assert all(parse_step(step_value(step, "v1")) == (step, "v1") for step in Step)
    assert [parse_step(value) for value in ("", "promote", "erase:v1")] == [None, (Step.PROMOTE, ""), None]
