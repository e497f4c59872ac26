"""Words of a question that carry no matter, and whether two questions are the same but for these."""

_FILLER = """
a an and any anybody anyone are be can could did do does dear for good happen has have hello hey hi how i in is it
kindly know may me morning my of on our please so somebody someone tell thank thanks that the there they this to u us
we what which would you your
"""
FILLERS = frozenset(_FILLER.split())
_TYPO_LETTERS = 5


def same_matter(left: str, right: str) -> bool:
    """Whether two plain texts are the same but for words that carry no matter, and a letter within a longer word.

    Shared letters alone do not show it: “enable” and “disable”, or 14 and 30 days, are one long question apart.
    """
    mine = [word for word in left.split() if word not in FILLERS]
    theirs = [word for word in right.split() if word not in FILLERS]
    alike = (word == other or _typo(word, other) for word, other in zip(mine, theirs, strict=False))
    return len(mine) == len(theirs) and all(alike)


def _typo(word: str, other: str) -> bool:
    """Whether two longer words without digits, which begin alike, are one letter apart."""
    short, long = sorted((word, other), key=len)
    if len(short) < _TYPO_LETTERS or len(long) - len(short) > 1 or not (short + long).isalpha():
        return False
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    if at == 0:
        # As “typical” and “atypical” are.
        return False
    rest = short[at + 1 :] if len(short) == len(long) else short[at:]
    return rest == long[at + 1 :]
