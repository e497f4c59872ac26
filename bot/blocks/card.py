"""The morning card: what last night came to, in words, numbers and examples, and what an admin can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    DividerBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.blocks.content import Content, context, header, section
from bot.safe_text import plain_label, quoted
from store.alerts import Alert
from store.words import GateVerdict, NightState

PROMOTE_ACTION = "promote_version"
HOLD_ACTION = "hold_version"
EXAMPLES_SHOWN, ALERTS_SHOWN, PEOPLE_NAMED = 2, 6, 10
FIELDS_IN_SECTION = 10

VERDICT_HEADLINES = {
    GateVerdict.PROMOTE: "🎓 {name} is better: promote it?",
    GateVerdict.HOLD: "🤔 {name} is not clearly better: hold",
    GateVerdict.REJECT: "🚫 {name} is worse: keep what answers now",
}


@dataclass(frozen=True)
class Measure:
    """One figure of the comparison: both versions, and the difference with its interval."""

    label: str
    unit: str
    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    better: bool | None


@dataclass(frozen=True)
class Example:
    """One held-out question as both versions answered it."""

    question: str
    reference: str
    candidate: str
    champion: str


@dataclass(frozen=True)
class Report:
    """A finished comparison of a candidate with the champion."""

    candidate: str
    champion: str
    verdict: GateVerdict
    summary: str
    items: int
    confidence: float
    measures: Sequence[Measure] = ()
    better: Sequence[Example] = ()
    worse: Sequence[Example] = ()
    broken: Sequence[Example] = ()
    """Corrections that the champion had right and the candidate has not."""
    costs: str = ""


@dataclass(frozen=True)
class Card:
    """All that the card shows. `report` is None for a night without a candidate."""

    night_id: int
    night_key: str
    state: NightState
    outcome: str
    report: Report | None = None
    production: str = ""
    promotable: bool = False
    decided: Sequence[str] = field(default_factory=tuple)
    alerts: Sequence[Alert] = ()
    """What an admin should look at before anything is promoted."""


def night_card(card: Card, busy: str = "", trouble: str = "") -> Content:
    """The card: `busy` takes the place of the buttons, `trouble` stands above them."""
    if card.report is None:
        return _short_card(card)
    headline = VERDICT_HEADLINES[card.report.verdict].format(name=card.report.candidate)
    blocks: list[Block] = [
        header(headline),
        context(f"Night of {card.night_key} · {card.report.candidate} against {card.report.champion}"),
        section(plain_label(card.report.summary, 2900)),
        *_alerts(card.alerts),
        *_measures(card.report),
        *_examples("Got better", card.report.better, card.report),
        *_examples("Got worse", card.report.worse, card.report),
        *_examples("Breaks a correction", card.report.broken, card.report),
    ]
    whole = f"Every ticket with both answers: `nightschool report {card.night_key}`"
    blocks.append(context(" · ".join(filter(None, [card.report.costs, whole]))))
    blocks.append(DividerBlock())
    return Content(headline, [*blocks, *_decision(card, busy, trouble)])


def _short_card(card: Card) -> Content:
    headline = {
        NightState.DECLINED: "😴 Nothing to learn last night",
        NightState.FAILED: "⚠️ Last night failed",
    }.get(card.state, "🌙 Last night")
    words = plain_label(card.outcome, 2900) or "No reason was given."
    follow = f"Production stays with *{card.production}*." if card.production else ""
    foot = context(f"Night of {card.night_key}. {follow}")
    blocks = [header(headline), section(words), *_alerts(card.alerts), foot]
    return Content(f"{headline}: {words}", blocks)


def _alerts(alerts: Sequence[Alert]) -> list[Block]:
    blocks: list[Block] = [section(_alert(alert)) for alert in alerts[:ALERTS_SHOWN]]
    if len(alerts) > ALERTS_SHOWN:
        blocks.append(context(f"{len(alerts) - ALERTS_SHOWN} more alerts: `nightschool night show` lists them."))
    return blocks


def _alert(alert: Alert) -> str:
    named = ", ".join(f"<@{person}>" for person in alert.people[:PEOPLE_NAMED])
    more = f" and {len(alert.people) - PEOPLE_NAMED} more" if len(alert.people) > PEOPLE_NAMED else ""
    who = f"\n{named}{more}" if named else ""
    return f"🚨 *Look at this:* {plain_label(alert.text, 1500)}{who}"


def _measures(report: Report) -> list[Block]:
    fields = [MarkdownTextObject(text=_measure(measure)) for measure in report.measures]
    blocks: list[Block] = [
        SectionBlock(fields=fields[start : start + FIELDS_IN_SECTION])
        for start in range(0, len(fields), FIELDS_IN_SECTION)
    ]
    interval = f"intervals of {100 * report.confidence:.0f} % or more, paired by question"
    return [*blocks, context(f"{report.items} held-out questions; {interval}.")] if blocks else []


def _measure(measure: Measure) -> str:
    sign = {True: "🟢", False: "🔴", None: "⚪"}[measure.better]
    unit = f" {measure.unit}" if measure.unit else ""
    return (
        f"{sign} *{plain_label(measure.label, 100)}*\n"
        f"{measure.champion:.3g} → {measure.candidate:.3g}{unit}\n"
        f"{measure.difference:+.3g} [{measure.low:+.3g}, {measure.high:+.3g}]"
    )


def _examples(title: str, examples: Sequence[Example], report: Report) -> list[Block]:
    blocks: list[Block] = []
    for example in examples[:EXAMPLES_SHOWN]:
        blocks.append(
            SectionBlock(
                text=MarkdownTextObject(text=f"*{title}:* {plain_label(example.question, 300)}"),
                fields=[
                    MarkdownTextObject(text=f"*{report.champion}*\n{quoted(example.champion, 500)}"),
                    MarkdownTextObject(text=f"*{report.candidate}*\n{quoted(example.candidate, 500)}"),
                ],
            )
        )
        blocks.append(context(f"Right answer: {plain_label(example.reference, 400)}"))
    return blocks


def _decision(card: Card, busy: str, trouble: str) -> list[Block]:
    blocks: list[Block] = [context(line) for line in card.decided]
    if busy:
        return [*blocks, context(f"⏳ {busy}")]
    if trouble:
        blocks.append(section(f":warning: {plain_label(trouble, 2000)}"))
    if card.report is not None and card.promotable:
        hold = ButtonElement(text="Hold", action_id=HOLD_ACTION, value=str(card.night_id))
        asks_anyway = card.report.verdict != GateVerdict.PROMOTE
        promote = promote_button(card.report.candidate, asks_anyway=asks_anyway)
        blocks.append(ActionsBlock(elements=[promote, hold]))
    return blocks


def promote_button(name: str, *, asks_anyway: bool = False) -> ButtonElement:
    """The button that makes a version answer, after a question back, unless what it opens asks anyway."""
    if asks_anyway:
        return ButtonElement(text=f"Promote {name} …", action_id=PROMOTE_ACTION, value=name)
    return ButtonElement(
        text=f"Promote {name}",
        action_id=PROMOTE_ACTION,
        value=name,
        style="primary",
        confirm=ConfirmObject(
            title=PlainTextObject(text=f"Promote {name}?"),
            text=PlainTextObject(text="It answers every new question from then on. You can roll back at any time."),
            confirm=PlainTextObject(text="Promote"),
            deny=PlainTextObject(text="Not now"),
        ),
    )


def slack_day(moment: datetime) -> str:
    """A date in `mrkdwn`, shown in each reader's own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short}}|{moment:%Y-%m-%d}>"


def slack_date(moment: datetime) -> str:
    """A moment in `mrkdwn`, shown in each reader's own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moment:%Y-%m-%d %H:%M} UTC>"
