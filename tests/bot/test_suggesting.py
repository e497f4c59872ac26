"""What the Messages tab suggests to ask."""

from typing import Any

from bot.suggesting import AT_FIRST
from store.tables import Answer, Review, Ticket
from store.words import DeliveryState, Surface, Verdict, Visibility
from tests.bot.conftest import RunningBot
from tests.fixtures_workspace import RAVI, Person


async def prompts(person: Person) -> list[str]:
    person.forget()
    await person.open_dm()
    shown: dict[str, Any] = await person.wait_for(lambda event: event["type"] == "prompts")
    return [prompt["message"] for prompt in shown["prompts"]]


async def test_the_messages_tab_suggests_what_colleagues_asked_with_success(bot: RunningBot, ana: Person) -> None:
    assert await prompts(ana) == AT_FIRST
    public, private = Visibility.PUBLIC, Visibility.PRIVATE
    asked = [(public, "Old?"), (private, "Secret?"), (public, "Dogs?"), (public, "x" * 300), (public, "Dogs?")]
    with bot.store.writing() as session:
        for number, (visibility, question) in enumerate(asked):
            ticket = Ticket(
                team_id="T", channel_id="C", thread_ts=str(number), asker_id="U1", surface=Surface.MENTION,
                visibility=visibility, question=question,
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            answer = Answer(
                ticket_id=ticket.id or 0, event_id=str(number), question_ts="1", state=DeliveryState.DELIVERED
            )
            session.add(answer)
            session.flush()
            session.add(Review(answer_id=answer.id or 0, reviewer_id=RAVI, verdict=Verdict.ACCEPTED))
    assert await prompts(ana) == ["Dogs?", "Old?"]
