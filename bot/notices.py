"""First-use notices: what is stored and learnt, told to each person and each channel once."""

from sqlmodel import Session

from bot import posting
from bot.blocks.privacy import channel_notice, person_notice
from bot.posting import Place
from bot.services import Services
from store import channels, outbox, people
from store.settings import Settings
from store.tables import OutboxMessage
from store.tickets import Question
from store.words import Surface, Visibility

PERSON, CHANNEL = "person_notice", "channel_notice"


def owe_to_person(session: Session, settings: Settings, question: Question) -> None:
    """Owe the notice to a person with their first question, in the transaction that takes it up."""
    if not settings.first_use_notices or not people.notice(session, question.team_id, question.person_id):
        return
    # A private answer has no thread of its own.
    private = question.surface == Surface.COMMAND
    payload = {
        "person_id": question.person_id,
        "channel_id": "" if private else question.channel_id,
        "thread_ts": "" if private else question.thread_ts,
        "direct": question.visibility == Visibility.DIRECT,
    }
    outbox.owe(session, f"notice-{question.team_id}-{question.person_id}", PERSON, payload)


def owe_to_channel(session: Session, settings: Settings, team_id: str, channel_id: str) -> None:
    """Owe the notice to a channel that the bot was added to for the first time."""
    if settings.first_use_notices and channels.notice(session, team_id, channel_id):
        outbox.owe(session, f"notice-{team_id}-{channel_id}", CHANNEL, {"channel_id": channel_id})


async def post_to_person(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Say it where only the person reads it: in their direct message, else in the thread as an ephemeral message."""
    content, payload = person_notice(services.settings.night), message.payload
    person_id = str(payload["person_id"])
    place = Place(str(payload["channel_id"]), str(payload["thread_ts"]))
    if not payload["direct"]:
        await posting.whisper(services, place, person_id, content)
        return place
    if not place.channel_id:
        opened = await services.slack.conversations_open(users=person_id)
        place = Place(str(opened["channel"]["id"]))
    ts = await posting.post_once(services, place, content, message.key, again=again)
    return Place(place.channel_id, ts)


async def post_to_channel(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Say it to everyone in the channel."""
    bot = await services.bot()
    place = Place(str(message.payload["channel_id"]))
    content = channel_notice(services.settings.night, bot.user_id)
    return Place(place.channel_id, await posting.post_once(services, place, content, message.key, again=again))
