"""What counts as a question in a channel whose questions are answered without a mention.

A filter of words, chosen to stay silent in doubt: a question that it misses can still be asked with a mention, an
answer that nobody wanted cannot be taken back.
"""

import re

_CODE_OR_LINK = re.compile(r"```.*?```|`[^`\n]*`|(?:https?|mailto):\S+|:[a-z0-9_+-]+:", re.DOTALL | re.IGNORECASE)
_MARK = re.compile(r"[?？؟՞](?=[\s\"'”’)\]*_~.!?？]|$)")
_ASKING = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon)|dear|thanks|please|team|all|everyone|folks|there|so|and|but|ok)\b"
    r"[\s,.!:-]*)*"
    r"(?:how|what|what's|where|when|why|who|whom|whose|which|can|could|may|must|should|shall|would|will|do|does|did"
    r"|is|are|was|were|has|have|am|any(?:one|body)|does anyone|is there|are there)\b",
    re.IGNORECASE,
)
_IN_NEED = re.compile(
    r"\b(?:i (?:need|want|would like) (?:help|to know|to ask)|(?:can(?:no|')t|cannot|unable to|don't know how to) \w+"
    r"|any (?:idea|ideas|advice|hints?)|(?:anyone|anybody|someone|somebody) (?:know|knows|help)|how (?:do|can|to) )",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"^(?:how are you|how's it going|what's up|right|really|ok|okay|lunch|coffee|anyone for|who(?:'s| is) (?:in|up) for"
    r"|who wants|shall we|did you see|have you seen|are you (?:coming|there|ok))\b",
    re.IGNORECASE,
)
LEAST_WORDS, LEAST_CHARACTERS = 3, 8


def is_question(text: str) -> bool:
    """Whether a post, as plain text, asks for something that could be answered."""
    words = " ".join(_CODE_OR_LINK.sub(" … ", text).split())
    if not _is_long_enough(words) or _TALK.match(words):
        return False
    if _MARK.search(words) or _IN_NEED.search(words):
        return True
    return words[-1] not in ".!" and _ASKING.match(words) is not None


def _is_long_enough(words: str) -> bool:
    # Scripts without spaces have few words, and say much in few characters.
    spoken = [word for word in words.split() if any(character.isalnum() for character in word)]
    return len(spoken) >= LEAST_WORDS or (len(words) >= LEAST_CHARACTERS and not words.isascii())
