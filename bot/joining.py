"""Called into a thread that has gone on without it, the bot reads once what was said before.

From then on it keeps its own transcript: Slack's limits on `conversations.replies` do not allow to read it each time.
"""

import logging

from slack_sdk.errors import SlackApiError

from bot import posting, questions
from bot.services import Services
from store import tickets
from store.tickets import Line, Question
from store.words import Role, Surface

log = logging.getLogger(__name__)

MOST_READ = 200


async def said_before(services: Services, question: Question) -> list[Line]:
    """What was said in the question's thread before it, if we have no transcript of it yet; oldest first."""
    if question.thread_ts == question.ts or question.surface == Surface.COMMAND:
        return []
    thread = (question.team_id, question.channel_id, question.thread_ts)
    if await services.store.read(tickets.of_thread, *thread) is not None:
        return []
    try:
        found = await services.slack.conversations_replies(
            channel=question.channel_id, ts=question.thread_ts, latest=question.ts, limit=MOST_READ
        )
    except SlackApiError as error:
        log.warning("the thread in %s is answered unread: %s", question.channel_id, posting.error_of(error))
        return []
    bot = await services.bot()
    roles = {bot.user_id: Role.BOT, question.person_id: Role.ASKER}
    lines = []
    for message in found["messages"]:
        ts, person_id = str(message["ts"]), str(message.get("user") or "")
        text = questions.plain_text(str(message.get("text") or ""), bot.user_id)
        if text and ts < question.ts and message.get("subtype") != "tombstone":
            lines.append(Line(ts, person_id, roles.get(person_id, Role.HELPER), text))
    return lines
