"""What the Messages tab suggests to ask: questions of colleagues that were answered well.

Source: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
"""

import logging

from slack_sdk.errors import SlackApiError
from sqlmodel import Session, col, select

from bot import posting
from bot.safe_text import plain_line
from bot.services import Services
from store.tables import Answer, Review, Ticket
from store.words import Verdict, Visibility

log = logging.getLogger(__name__)

MOST_PROMPTS = 4
LOOKED_AT = 40
LONGEST_QUESTION, LONGEST_TITLE = 200, 60
TITLE = "Ask me, for example:"
AT_FIRST = ["What can you help me with?", "Whom do I ask when my laptop is broken?", "How do I ask for a day off?"]


async def suggest(services: Services, channel_id: str) -> None:
    """Show what one can ask in a person's direct message; without a reviewed question, some that fit anywhere."""
    asked = await services.store.read(_reviewed_questions) or AT_FIRST
    prompts = [{"title": plain_line(question, LONGEST_TITLE), "message": question} for question in asked]
    try:
        await services.slack.assistant_threads_setSuggestedPrompts(channel_id=channel_id, title=TITLE, prompts=prompts)
    except SlackApiError as error:
        log.info("no prompts are suggested in %s: %s", channel_id, posting.error_of(error))


def _reviewed_questions(session: Session) -> list[str]:
    """The newest questions of public channels whose answers reviewers found or made right, each once."""
    rows = session.exec(
        select(Ticket.question)
        .join(Answer, col(Answer.ticket_id) == col(Ticket.id))
        .join(Review, col(Review.answer_id) == col(Answer.id))
        .where(
            Review.verdict != Verdict.REJECTED,
            Ticket.visibility == Visibility.PUBLIC,
            col(Ticket.trainable).is_(True),
        )
        .order_by(col(Review.id).desc())
        .limit(LOOKED_AT)
    )
    short = [" ".join(question.split()) for question in rows if len(question) <= LONGEST_QUESTION]
    return list(dict.fromkeys(question for question in short if question))[:MOST_PROMPTS]
