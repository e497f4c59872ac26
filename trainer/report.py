"""The last stage of a night: a chart of the comparison, and the model card with its scores."""

from store import evaluations
from store.failpoints import failpoint
from store.tables import Evaluation
from store.words import Stage
from trainer.card import write_card
from trainer.chart import draw
from trainer.work import Work

CARD = "morning_card"


def report(work: Work) -> Evaluation:
    """Draw the chart and write the model card with the scores, once.

    Raises:
        OSError: they cannot be written.
    """
    with work.store.reading() as session:
        evaluation = evaluations.of_night(session, work.night_id)
    if evaluation is None:
        raise LookupError(f"the night {work.night.key} has nothing to report")
    path = work.settings.artifacts / "reports" / work.night.key / "comparison.png"
    draw(evaluation, path)
    card = path.with_name("model-card.md")
    write_card(work, evaluation, card)
    failpoint("report.drawn")
    with work.writing() as session:
        evaluation = session.merge(evaluation)
        evaluation.chart = str(path)
    failpoint("report.stored")
    work.note(Stage.REPORT, chart=str(path), card=str(card))
    work.say(f"report: {path}")
    return evaluation
