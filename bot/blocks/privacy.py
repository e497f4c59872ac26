"""What is stored and learnt, in words: for people at their first question, for channels, and on `/nightschool`."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block, ButtonElement

from bot.blocks.content import Content, context, section
from bot.blocks.home.usage import counted
from bot.questions import HOW_TO_ASK
from store.people import Kept
from store.settings import NightSettings
from store.tables import Person

LEARNING_ACTION = "privacy_learning"
FIX_NOTICES_ACTION = "privacy_fix_notices"
ON, OFF = "on", "off"

HELP = (
    f"{HOW_TO_ASK} In the ⋮ menu of any message, “Ask Nightschool about this” answers it in its thread.\n"
    "👍 and 👎 under an answer tell reviewers where to look; what they correct, I learn overnight.\n"
    "My Home tab shows your last questions, and to reviewers and admins what there is to do.\n"
    "`/nightschool privacy` shows what is stored about you, and leaves you out of learning if you wish."
)


@dataclass(frozen=True)
class Standing:
    """What is stored about a person, what they chose, and whom they can ask to have it deleted."""

    kept: Kept
    person: Person
    named_in_settings: bool
    admins: Sequence[str]


def learning_words(night: NightSettings) -> str:
    """From which conversations is learnt, in a sentence."""
    kinds = ["public channels"]
    if night.learn_private_channels:
        kinds.append("private channels")
    if night.learn_direct_messages:
        kinds.append("direct messages")
    return f"Only conversations in {' and '.join(kinds)} are learnt from, and only answers that a reviewer accepted."


def person_notice(night: NightSettings) -> Content:
    """At a person's first question."""
    text = (
        "👋 This is your first question to me, so you should know: I keep what you ask and what I answer. Reviewers "
        f"can read both and correct me, and overnight I learn from their decisions. {learning_words(night)} "
        "`/nightschool privacy` shows what is stored about you and leaves you out of learning, at any time."
    )
    return Content(text, [context(text)])


def channel_notice(night: NightSettings, bot_user_id: str) -> Content:
    """When the bot was added to a channel."""
    text = (
        f"👋 Hello! Mention me, <@{bot_user_id}>, and I answer in the thread. What I am asked here is stored with the "
        "thread around it; what nobody asks me is not. Reviewers can read it and correct me, and overnight I learn "
        f"from their decisions. {learning_words(night)} Everyone can see what is stored about them and leave learning "
        "with `/nightschool privacy`; an admin can switch learning off for this channel in my Home tab."
    )
    return Content(text, [section(text)])


def standing(stands: Standing, night: NightSettings) -> Content:
    """The answer to `/nightschool privacy`."""
    text = "What is stored about you, and what is learnt"
    return Content(
        text, [*_stored(stands.kept), *_learning(stands, night), *_fix_notices(stands.person), _erasure(stands)]
    )


def _stored(kept: Kept) -> list[Block]:
    lines = [
        f"{counted(kept.questions, 'question')} to me, with my answers",
        f"{counted(kept.messages, 'message')} of yours in those threads",
        f"{counted(kept.votes, 'thumb')} that you gave",
    ]
    if kept.reviews:
        lines.append(f"{counted(kept.reviews, 'decision')} of yours on answers")
    learnt = f"{counted(kept.learnt, 'thread')} that you wrote in are in what I was trained on"
    return [section("*What is stored about you*\n" + "\n".join(f"• {line}" for line in [*lines, learnt]))]


def _learning(stands: Standing, night: NightSettings) -> list[Block]:
    if stands.named_in_settings:
        return [section("*Learning* · You are left out: an admin wrote that into the settings.")]
    if stands.person.learning_opt_out:
        words = "You are left out: the next night learns from no thread that you wrote in."
        button = ButtonElement(text="Let me in again", action_id=LEARNING_ACTION, value=ON)
    else:
        words = f"Your threads may be learnt. {learning_words(night)}"
        button = ButtonElement(text="Leave me out", action_id=LEARNING_ACTION, value=OFF)
    note = (
        "Versions that were trained before stay as they are; each night trains a new one, without what was taken out."
    )
    return [section(f"*Learning* · {words}", button), context(note)]


def _fix_notices(person: Person) -> list[Block]:
    if person.fix_notices:
        words = "I tell you once when a new version answers better what you gave a 👎."
        button = ButtonElement(text="Don't tell me", action_id=FIX_NOTICES_ACTION, value=OFF)
    else:
        words = "I don't tell you when a new version answers better what you gave a 👎."
        button = ButtonElement(text="Tell me", action_id=FIX_NOTICES_ACTION, value=ON)
    return [section(f"*News of fixes* · {words}", button)]


def _erasure(stands: Standing) -> Block:
    whom = " or ".join(f"<@{admin}>" for admin in stands.admins[:3]) or "the people who run me"
    return section(f"*Forget me* · To have everything that is stored about you deleted, write to {whom}.")
