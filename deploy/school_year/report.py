"""The report of a school year: the sentence that sums it up, the picture, the nights, and how it was measured."""

from collections.abc import Sequence
from pathlib import Path

from deploy.school_year.chart import draw, mean, measure_of
from deploy.school_year.records import LABELS, NIGHTSCHOOL, NightRecord
from store import artifacts
from store.words import GateVerdict

REPORT, PICTURE = "school-year.md", "school-year.png"
LAST = 3
"""Days by whose questions the beginning and the end of a year are told."""

VERDICTS = {
    GateVerdict.PROMOTE.value: "promote",
    GateVerdict.HOLD.value: "hold",
    GateVerdict.REJECT.value: "do not promote",
    "": "nothing learnt",
}


def write_report(folder: Path, records: Sequence[NightRecord], facts: Sequence[str]) -> Path:
    """Write the report and its picture into a folder; the report."""
    artifacts.write_bytes(folder / PICTURE, draw(records))
    page = f"# A school year\n\n{body(records, facts, PICTURE)}\n"
    artifacts.write_bytes(folder / REPORT, page.encode())
    return folder / REPORT


def body(records: Sequence[NightRecord], facts: Sequence[str], picture: str) -> str:
    """Sentence, picture, table and facts, as Markdown without a heading."""
    listed = "\n".join(f"- {fact}" for fact in [*facts, gate_in_words(records), _time(records)])
    return f"**{sentence(records)}**\n\n![The learning curve]({picture})\n\n{table(records)}\n\n{listed}"


def sentence(records: Sequence[NightRecord]) -> str:
    """What the year comes to: the last days against the first, and against the others on the same questions."""
    unit, measure = measure_of(records)
    end = records[-LAST:]
    questions = sum(len(record.questions) for record in end)
    others = [f"{_label(who)} {_at(end, who, records)}" for who in LABELS if who != NIGHTSCHOOL]
    began = mean(records[:1], NIGHTSCHOOL, measure)
    what = "of the questions right" if unit.startswith("questions") else "chrF"
    percent = " %" if unit.startswith("questions") else ""
    return (
        f"After {len(records)} nights Nightschool answered {_at(end, NIGHTSCHOOL, records)} {what}, before anyone had "
        f"reviewed them ({questions} questions of the last {len(end)} days; on the first day {began:.0f}{percent}); "
        f"{', '.join(others)}."
    )


def table(records: Sequence[NightRecord]) -> str:
    """A row a night."""
    unit, measure = measure_of(records)
    heads = [_label(who) for who in LABELS]
    lines = [
        f"{unit[0].upper()}{unit[1:]}:",
        "",
        f"| day | asked | answered by | {' | '.join(heads)} | learnt, held out | the gate | from then on |",
        f"|---|---|---|{'---|' * len(heads)}---|---|---|",
    ]
    for one in records:
        versions = ", ".join(sorted({question.said[NIGHTSCHOOL].by for question in one.questions}))
        cells = [f"{measure(one, who):.0f}" for who in LABELS]
        rows = f"{one.train_rows}, {one.held_out_rows}" if one.version else "–"
        gate = f"{one.version}: {VERDICTS[one.verdict]}" if one.version else VERDICTS[""]
        lines.append(
            f"| {one.label} | {len(one.questions)} | {versions} | {' | '.join(cells)} | {rows} | {gate} "
            f"| {one.production} |"
        )
    means = " | ".join(f"**{mean(records, who, measure):.0f}**" for who in LABELS)
    lines.append(f"| **all** | {sum(len(one.questions) for one in records)} | | {means} | | | |")
    return "\n".join(lines)


def gate_in_words(records: Sequence[NightRecord]) -> str:
    """How often the gate recommended, held and advised against, with its reason the first time that it did not."""
    counts = {verdict: sum(one.verdict == verdict for one in records) for verdict in VERDICTS if verdict}
    told = ", ".join(f"{VERDICTS[verdict]} {count} times" for verdict, count in counts.items() if count)
    first = next((one for one in records if one.verdict not in ("", GateVerdict.PROMOTE.value)), None)
    because = f" On {first.label} it said: “{first.outcome}”" if first is not None else ""
    return f"The gate said: {told or 'nothing, since no night made a version'}.{because}"


def _label(who: str) -> str:
    return LABELS[who].split(",")[0] if who == NIGHTSCHOOL else LABELS[who]


def _at(records: Sequence[NightRecord], who: str, year: Sequence[NightRecord]) -> str:
    """A mean over some nights, with the 95 % interval of Wilson where it is a share."""
    from scipy.stats import binomtest

    unit, measure = measure_of(year)
    value = mean(records, who, measure)
    if not unit.startswith("questions"):
        return f"{value:.0f}"
    right = sum(question.said[who].right for one in records for question in one.questions)
    asked = sum(len(one.questions) for one in records)
    interval = binomtest(right, asked).proportion_ci(method="wilson")
    return f"{value:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f} %)"


def _time(records: Sequence[NightRecord]) -> str:
    return f"It took {sum(one.seconds for one in records) / 60:.0f} minutes for {len(records)} nights."
