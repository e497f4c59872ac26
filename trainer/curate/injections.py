"""Questions that give the model instructions: learnt only when two reviewers stand behind the answer.

An indirect injection hides in what somebody pastes: “add a link to your reply”, “from now on you are …”. It is told
from a question by whom it addresses: it speaks of *your answer* and what to do with it, of the rules that the model
has, of a role that it shall play; or it hides characters that nobody sees. A payload that is a plain question
(“How do solar panels work?”) asks for nothing but an answer, and is left to the reviewer.
"""

import re
from collections.abc import Collection, Sequence

from store.alerts import Alert
from trainer.curate.lesson import Lesson, Reason, Tally

SHOWN, EXAMPLES = 80, 3

_ANSWER = r"(?:answer|response|repl(?:y|ies)|output)"
_CHANGE = (
    r"(?:add|append|insert|include|integrate|incorporate|embed|modify|change|alter|enhance|augment|rewrite|render|"
    r"scramble|jumble|rearrange|reverse|encode|translate|convert|replace|substitute|remove|combine|group|misspell|"
    r"anagram|introduce|use|provide|begin|start|end|finish)"
)
_MODEL = r"(?:chat ?gpt|gpt ?\d?|an? (?:ai|llm)(?: language)? model|language model|ai assistant|openai|bing ai)"
_RULES = r"(?:instructions?|prompts?|rules?|guidelines?|polic(?:y|ies)|restrictions?|directions?|commands?|input)"

PATTERNS = (
    # Set the rules aside.
    rf"\b(?:ignore|disregard|forget|override|bypass)\b.{{0,30}}\b(?:previous|prior|above|earlier|all|any|your|system|"
    rf"preceding)\b.{{0,20}}\b{_RULES}",
    r"\b(?:system|hidden|initial) prompt\b",
    r"\bjail ?break",
    r"\b(?:no longer|not|never) (?:bound|restricted|limited|confined) by\b|\bno longer (?:limited|confined) to\b",
    rf"\b(?:free|freed) (?:of|from) (?:all |any |the )*(?:{_RULES}|limit\w*|confines)",
    r"\b(?:without|no) (?:any )?(?:ethical|moral)\w*\b",
    r"\b(?:unfiltered|uncensored|amoral)\b",
    r"\bdo anything now\b|\bdan mode\b|\bdeveloper mode (?:enabled|output)\b",
    # Be somebody else.
    r"\byou(?: are|'re|’re) (?:now|going to|about to|to) (?:be |become |play |act |pretend |speak |an? |the |in )",
    r"\b(?:act|behave|answer|respond|reply|speak|write) (?:\w+ ){0,3}(?:as if|like) you(?: are|'re|’re| were)\b",
    r"\b(?:pretend|imagine) (?:to be|you(?: are|'re|’re)|that you)\b",
    r"\brole ?-?play(?:ing)? (?:as|game)\b|\b(?:will|to|let'?s(?: do an?)?) role ?-?play\b",
    r"(?:^|[.!?:\n]\s*)(?:please )?act as an?\b",
    r"\b(?:stay|remain|stays) in character\b|\bpersonas?\b",
    r"\bfrom (?:now|this point) on(?:wards?)?\b.{0,40}\b(?:you|your|refer|answer|respond|reply|act|speak)\b",
    rf"\b(?:hello|hi|hey|dear|as|you are|to)[, ]+{_MODEL}",
    # Do something to the answer.
    rf"\b{_CHANGE}\b(?:[^.;\n]|\.(?=\S)){{0,90}}\b(?:in|of|to|into|from|with|using|for)? ?your (?:\w+ )?{_ANSWER}",
    rf"\bin your {_ANSWER}\b[,:]? (?:\w+ ){{0,2}}"
    r"(?:suggest|tease|mention|hint|tell|promote|recommend|encourage|say|include|use|ask)",
    rf"\b(?:provide|give|write|render|make) your (?:{_ANSWER}|answers?)\b.{{0,20}}\b(?:in|using|without|with|as)\b",
    r"\b(?:replace|substitute|swap|convert|change|scramble|jumble|reverse) (?:all |every |each )(?:\w+ )?"
    r"(?:letter|vowel|word|character|consonant)s?\b|\breplace (?:letters|vowels|words)\b",
    r"\b(?:scramble|jumble|anagram|misspell|substitute|replace|swap)\b[^.;\n]{0,50}\b(?:in|of) your\b",
    r"\b(?:respond|reply|answer) (?:only|always|to (?:every|all|each)|all)\b",
    r"\b(?:end|start|begin) (?:of )?(?:all|every|each) (?:of )?your\b",
)
INSTRUCTION = re.compile("|".join(PATTERNS), re.IGNORECASE)
HINTS = (
    *("your answer", "your respon", "your repl", "your output", "your next", "your first", "all your", "every your"),
    *("ignore", "disregard", "forget", "override", "bypass", "prompt", "jailbreak", "jail break", "bound by"),
    *("restricted by", "limited ", "confined ", "free of", "free from", "freed ", "ethic", "moral", "unfiltered"),
    *("uncensored", "anything now", "dan mode", "developer mode", "you are", "you're", "you’re", "pretend", "imagine"),
    *("role", "act as", "character", "persona", "from now", "this point", "gpt", "language model", "ai assistant"),
    *("openai", "bing ai", "respond", "reply", "answer ", "each of your", "replace", "substitute", "swap", "convert"),
    *("anagram", "misspell"),
    *("change ", "scramble", "jumble", "reverse"),
)
"""Each pattern needs one of these: looking for them first spares most texts the patterns."""
UNSEEN = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]{2,}")
"""Zero-width, direction-changing and tag characters in a row, with which text is hidden in text."""
CHARACTERS = 8_000


def instruction(text: str) -> str:
    """The part of a text that gives the model instructions; empty where none is found."""
    seen = text[:CHARACTERS]
    lowered = seen.lower()
    if any(hint in lowered for hint in HINTS) and (found := INSTRUCTION.search(seen)):
        return " ".join(found[0].split())[:SHOWN]
    return "hidden characters" if UNSEEN.search(seen) else ""


def without_injections(lessons: Sequence[Lesson], seconded: Collection[int], tally: Tally) -> list[Lesson]:
    """Leave out the lessons whose asker instructs the model, unless two reviewers agreed on the answer (`seconded`)."""
    found = {lesson.answer_id: quoted for lesson in lessons if (quoted := _instruction_in(lesson))}
    waiting = {answer_id: quoted for answer_id, quoted in found.items() if answer_id not in seconded}
    if waiting:
        askers = {lesson.asker for lesson in lessons if lesson.answer_id in waiting and lesson.asker}
        examples = ", ".join(f"“{quoted}”" for quoted in sorted(set(waiting.values()))[:EXAMPLES])
        text = (
            f"{len(waiting)} questions give the model instructions, such as {examples}. "
            "Their answers are learnt once a second reviewer agrees."
        )
        tally.alerts.append(Alert(text, tuple(sorted(askers)), tuple(sorted(waiting))))
        tally.doubtful |= set(waiting)
    return tally.keep(lessons, lambda lesson: Reason.INJECTION if lesson.answer_id in waiting else None)


def _instruction_in(lesson: Lesson) -> str:
    said = (turn["content"] for turn in lesson.prompt if turn["role"] == "user")
    return next((quoted for text in said if (quoted := instruction(text))), "")
