"""Answers to review, made in a line each, and the modal flow driven as the page drives it."""

from typing import Any

from bot.blocks.home.reviewing import START_REVIEWING_ACTION
from store import near_groups
from store.session import Store
from store.tables import Answer, Message, Ticket, Vote
from store.words import DeliveryState, ReviewState, Role, Surface, TicketStatus, Visibility, VoteValue
from tests.bot.test_feedback import modal_of, radio
from tests.fixtures_workspace import Person

Json = dict[str, Any]


def add_answer(store: Store, question: str, **fields: Any) -> int:
    """One answered ticket; the number of its answer. `votes` are given by one person each."""
    with store.writing() as session:
        ticket = Ticket(
            team_id="T",
            channel_id=fields.pop("channel", "C"),
            thread_ts=fields.pop("thread_ts", question),
            asker_id=fields.pop("asker", "U1"),
            surface=Surface.MENTION,
            visibility=Visibility.PUBLIC,
            question=question,
            status=fields.pop("status", TicketStatus.ANSWERED),
        )
        session.add(ticket)
        session.flush()
        if ticket.status == TicketStatus.WITHDRAWN:
            fields["review_state"] = ReviewState.SETTLED
        votes = fields.pop("votes", [])
        values = {"state": DeliveryState.DELIVERED, "text": f"answer to {question}", **fields}
        answer = Answer(ticket_id=ticket.id or 0, event_id=ticket.thread_ts, question_ts=ticket.thread_ts, **values)
        session.add(answer)
        session.flush()
        near_groups.place(session, answer, question)
        line = {"ts": ticket.thread_ts, "person_id": ticket.asker_id, "role": Role.ASKER, "text": question}
        session.add(Message(ticket_id=ticket.id or 0, **line))
        for number, value in enumerate(votes):
            session.add(Vote(answer_id=answer.id or 0, person_id=f"U{number}", value=value))
        return answer.id or 0


def down(count: int) -> list[VoteValue]:
    """So many votes down."""
    return [VoteValue.DOWN] * count


def option(value: str) -> Json:
    """A chosen option as Slack sends it; its label is of no meaning to us."""
    return {"value": value, "text": {"type": "plain_text", "text": "x"}}


def ticks(*values: Any) -> Json:
    """What is ticked of checkboxes."""
    return {"selected_options": [option(str(value)) for value in values]}


async def home_of(person: Person, *shown: str, without: str = "") -> Json:
    """The Home tab as the bot publishes it when it is opened, as soon as it shows these texts."""
    person.forget()
    await person.open_home()
    return await published(person, *shown, without=without)


async def published(person: Person, *shown: str, without: str = "") -> Json:
    """The first Home tab published from now on that shows these texts."""

    def fits(event: Json) -> bool:
        said = words(event["view"]) if event["type"] == "home" else ""
        return bool(said) and all(text in said for text in shown) and not (without and without in said)

    view: Json = (await person.wait_for(fits))["view"]
    return view


async def start(person: Person) -> Json:
    """The modal after “Start reviewing”."""
    home = await home_of(person, START_REVIEWING_ACTION)
    person.forget()
    assert (await person.click(home, START_REVIEWING_ACTION))["ok"]
    return await modal_of(person)


async def press(person: Person, view: Json, action_id: str, **chosen: Any) -> Json:
    """The modal after a click in it."""
    person.forget()
    assert (await person.click(view, action_id, **chosen))["ok"]
    found: Json = (await person.wait_for(lambda event: event["type"] == "view_updated"))["view"]
    return found


async def decide(person: Person, view: Json, verdict: str, **values: Any) -> Json:
    """The next modal after a decision."""
    outcome = await person.submit(view, {"verdict": radio(verdict), **values})
    assert outcome["ok"]
    assert "errors" not in outcome, outcome
    found: Json = outcome["view"]
    return found


def element(view: Json, action_id: str) -> Json:
    """The element with this action id."""
    for block in view["blocks"]:
        for one in (block.get("element"), block.get("accessory"), *block.get("elements", [])):
            if isinstance(one, dict) and one.get("action_id") == action_id:
                return one
    raise AssertionError(f"no {action_id} in {view['blocks']}")


def words(view: Json) -> str:
    """Everything that a view says."""
    return str(view["blocks"])
