"""What stands below an answer, as the store has it: read when the answer is closed, and again at every repainting."""

import math
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from bot.blocks.answer import Closing, Source
from store import answers, approved, tickets
from store.answers import Outcome
from store.channels import settings_of
from store.settings import Settings
from store.tables import Answer, Ticket
from store.words import Arm, DeliveryState, TicketStatus

CUT_OFF = "The answer was cut off at its longest. Ask me to go on."
_NOT_IN_A_LINK = frozenset("<>| \n\t")
_CITATION = re.compile(r"\[(\d{1,2})\]")


def closing_of(session: Session, settings: Settings, answer_id: int, outcome: Outcome | None = None) -> Closing:
    """How an answer ended; `outcome` is what it came to, where that is not recorded as delivered yet."""
    answer, ticket = answers.with_ticket(session, answer_id)
    state = outcome.state if outcome else answer.state
    approval = approved.get(session, answer.approved_by) if answer.approved_by is not None else None
    cut_off = outcome.cut_off if outcome else answer.completion_tokens >= settings.serving.max_tokens
    return Closing(
        answer_id=answer_id,
        state=state,
        sentence=answer.error or (CUT_OFF if cut_off else ""),
        trial=answer.adapter if answer.arm == Arm.TRIAL else "",
        unsure=is_unsure(session, answer, ticket),
        redone=answers.is_redone(session, answer),
        approved=approval,
        sources=cited(answer.passages, outcome.text if outcome else answer.text),
        solved_by=ticket.resolved_by,
        called=ticket.status == TicketStatus.ESCALATED and ticket.escalated_to != "",
        shareable=tickets.is_private(ticket)
        and not ticket.channel_id.startswith("D")
        and state == DeliveryState.DELIVERED,
    )


def is_unsure(session: Session, answer: Answer, ticket: Ticket) -> bool:
    """Whether the model's own confidence lies below what the channel asks for; unknown confidence is no doubt."""
    least = settings_of(session, ticket.team_id, ticket.channel_id).min_confidence
    found = confidence(answer)
    return found is not None and found < least


def confidence(answer: Answer) -> float | None:
    """The geometric mean probability of the answer's tokens, from 0 to 1; None where it was not measured."""
    return None if answer.mean_logprob is None else math.exp(answer.mean_logprob)


def cited(passages: Collection[dict[str, Any]], text: str) -> list[Source]:
    """The documents that an answer cites by number, like [1]; all that it was told where it cites none of them."""
    numbers = {int(number) for number in _CITATION.findall(text)}
    used = [passage for passage in passages if passage.get("number") in numbers]
    return sources(used or passages)


def sources(passages: Collection[dict[str, Any]]) -> list[Source]:
    """The documents that were used, each once, with their address if they have one that Slack can link."""
    found: dict[str, Source] = {}
    for passage in passages:
        url = str(passage.get("url") or "")
        if urlsplit(url).scheme not in ("http", "https") or _NOT_IN_A_LINK & set(url):
            url = ""
        key = url or str(passage.get("source") or passage.get("title") or "")
        if key:
            found.setdefault(key, Source(str(passage.get("title") or key), url, int(passage.get("number") or 0)))
    return list(found.values())


def link_hosts(settings: Settings, passages: Collection[dict[str, Any]]) -> set[str]:
    """The hosts that an answer may link to: those of the settings, and of the team's own documents it was told."""
    return {*settings.link_hosts, *(urlsplit(source.url).hostname or "" for source in sources(passages) if source.url)}
