from dataclasses import replace

from store.tables import now
from trainer.curate.lesson import Lesson, Tally
from trainer.curate.redaction import without_personal_data

OWN = "Call the workshop on +49 30 901820."


def lesson(number: int, question: str, answer: str) -> Lesson:
    return Lesson(
        ticket_id=number,
        answer_id=number,
        review_id=number,
        prompt=[{"role": "system", "content": "Mail help@shop.example."}, {"role": "user", "content": question}],
        completion=answer,
        corrected=False,
        decided_at=now(),
        opening=question,
    )


def test_what_the_asker_said_of_themselves_is_masked_in_question_and_answer() -> None:
    tally = Tally()
    (masked,) = without_personal_data(
        [lesson(1, "I am ana@example.com, where is my parcel?", "We write to ana@example.com today.")], tally
    )
    assert masked.question == masked.opening == "I am [email], where is my parcel?"
    assert masked.completion == "We write to [email] today."
    assert masked.prompt[0]["content"] == "Mail help@shop.example."
    assert tally.masked == 1


def test_what_the_team_gives_out_is_learnt_even_where_an_asker_repeats_it() -> None:
    told = [lesson(number, "Where do I call?", OWN) for number in range(1, 4)]
    asked = lesson(4, "Is +49 30 901820 right?", "Yes, +49 30 901820.")
    tally = Tally()
    assert without_personal_data([*told, asked], tally) == [*told, asked]
    assert tally.masked == 0


def test_one_answer_repeated_by_many_reviews_is_not_many_tickets() -> None:
    answers = [replace(lesson(1, "Is it ana@example.com?", "Yes: ana@example.com"), answer_id=n) for n in range(5)]
    assert {each.completion for each in without_personal_data(answers, Tally())} == {"Yes: [email]"}


def test_an_approved_answer_keeps_what_it_tells_but_never_a_secret() -> None:
    told = [lesson(number, "How?", "Mail me@shop.example. Password: hunter2!x") for number in range(1, 6)]
    assert {each.completion for each in without_personal_data(told, Tally())} == {
        "Mail me@shop.example. Password: [secret]"
    }
