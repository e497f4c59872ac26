"""Kappa against published worked examples, and what several verdicts come to."""

import pytest

from store.agreement import Agreement, agreement, cohen_kappa, fleiss_kappa
from store.session import Store
from store.tables import Review
from store.verdicts import drawn_for_two, final, state_after
from store.words import ReviewState, Verdict
from tests.bot.reviewing import add_answer

A, C, R = Verdict.ACCEPTED, Verdict.CORRECTED, Verdict.REJECTED

PSYCHIATRISTS = [
    [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0],
    [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0],
    [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1], [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0],
    [0, 2, 0, 4, 0], [1, 0, 2, 0, 3], [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0],
    [1, 0, 0, 4, 1], [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
]  # fmt: skip
"""Fleiss 1971, table 1: 30 patients, six psychiatrists, five diagnoses."""


def test_cohens_kappa_is_that_of_the_worked_example() -> None:
    # 50 grant proposals and two readers: both yes 20, only the first 5, only the second 10, both no 15; kappa 0.4
    # (https://en.wikipedia.org/wiki/Cohen%27s_kappa#Simple_example).
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    # The example of scikit-learn's cohen_kappa_score.
    assert cohen_kappa(list(zip([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2], strict=True))) == pytest.approx(0.42857142857)
    assert cohen_kappa([(A, R), (R, A)]) == pytest.approx(-1.0)


def test_fleiss_kappa_is_that_of_the_paper() -> None:
    ratings = [[label for label, votes in enumerate(row) for _ in range(votes)] for row in PSYCHIATRISTS]
    assert {len(row) for row in ratings} == {6}
    assert fleiss_kappa(ratings) == pytest.approx(0.430, abs=0.0005)


def test_kappa_agrees_with_another_library() -> None:
    from nltk.metrics.agreement import AnnotationTask

    pairs = [(A, A), (A, C), (C, C), (R, C), (A, A), (R, R), (C, A), (A, A)]
    data = [(who, number, pair[at]) for number, pair in enumerate(pairs) for at, who in enumerate("xy")]
    assert cohen_kappa(pairs) == pytest.approx(AnnotationTask(data).kappa())
    # Of two raters Fleiss' kappa is Scott's pi.
    assert fleiss_kappa(pairs) == pytest.approx(AnnotationTask(data).pi())


def test_kappa_is_undefined_where_chance_explains_everything() -> None:
    assert cohen_kappa([(A, A)] * 5) is None
    assert fleiss_kappa([(A, A)] * 5) is None
    assert cohen_kappa([]) is None
    assert fleiss_kappa([]) is None


@pytest.mark.parametrize(
    ("kappa", "band"),
    [(None, "none beyond chance"), (-0.2, "none beyond chance"), (0.0, "slight"), (0.65, "substantial"),
     (1.0, "almost perfect")],
)  # fmt: skip
def test_a_kappa_has_a_word(kappa: float | None, band: str) -> None:
    assert Agreement(9, 0.5, kappa, "Cohen").band == band


def reviewed(*verdicts: Verdict) -> list[Review]:
    return [
        Review(id=number, answer_id=1, reviewer_id=f"R{number}", verdict=verdict)
        for number, verdict in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("verdicts", "counts"),
    [((), None), ((A,), 0), ((C, C), 0), ((A, C), None), ((A, C, C), 1), ((C, A, C), 0), ((A, C, R), 2)],
)
def test_the_first_of_the_majority_counts_else_the_third(verdicts: tuple[Verdict, ...], counts: int | None) -> None:
    found = final(reviewed(*verdicts))
    assert (found.id if found else None) == counts


def test_whose_turn_it_is() -> None:
    assert state_after([], drawn=True) == ReviewState.WAITING
    assert state_after(reviewed(A), drawn=False) == ReviewState.SETTLED
    assert state_after(reviewed(A), drawn=True) == ReviewState.SECOND
    assert state_after(reviewed(A, A), drawn=True) == ReviewState.SETTLED
    assert state_after(reviewed(A, C), drawn=True) == ReviewState.THIRD
    assert state_after(reviewed(A, C, R), drawn=True) == ReviewState.SETTLED


def test_the_share_is_drawn_by_the_answer_alone() -> None:
    drawn = [drawn_for_two(number, 0.1) for number in range(10_000)]
    assert drawn == [drawn_for_two(number, 0.1) for number in range(10_000)]
    assert 900 < sum(drawn) < 1100
    assert not any(drawn_for_two(number, 0.0) for number in range(100))
    assert all(drawn_for_two(number, 1.0) for number in range(100))


def test_agreement_takes_the_first_two_verdicts_of_each_answer(store: Store) -> None:
    def add(answer_id: int, **verdicts: Verdict) -> None:
        with store.writing() as session:
            session.add_all(
                Review(answer_id=answer_id, reviewer_id=name, verdict=verdict) for name, verdict in verdicts.items()
            )

    ids = [add_answer(store, f"question {number}") for number in range(6)]
    with store.reading() as session:
        assert agreement(session) is None
    add(ids[0], x=A)
    add(ids[1], x=A, y=A)
    add(ids[2], y=C, x=R, z=C)
    add(ids[3], y=R, x=R)
    with store.reading() as session:
        found = agreement(session)
    assert found is not None
    assert (found.answers, found.method, found.same) == (3, "Cohen", pytest.approx(2 / 3))
    assert found.kappa == cohen_kappa([(A, A), (R, C), (R, R)])
    add(ids[4], z=A, y=C)
    with store.reading() as session:
        found = agreement(session)
    assert found is not None
    assert (found.answers, found.method) == (4, "Fleiss")
    assert found.kappa == fleiss_kappa([(A, A), (C, R), (R, R), (A, C)])
