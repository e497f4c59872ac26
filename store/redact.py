"""A text without personal data and secrets: each is replaced by the name of its kind, such as `[email]`.

Found by form alone, without a model: what has a checkable shape. Names of people and postal addresses have none and
stay. Secrets are found by the forms that vendors publish for their tokens, and after words such as `password:`; phone
numbers are checked with phonenumbers, cards and IBANs by their check digits (python-stdnum). Every pattern is bounded,
so the time grows with the length of the text alone.
"""

import re
import string
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from operator import attrgetter

import phonenumbers
from stdnum import iban, luhn


class Kind(StrEnum):
    """What was masked; the word stands in the text in its place."""

    SECRET = "secret"  # noqa: S105 -- the word that takes a secret's place
    EMAIL = "email"
    CARD = "card"
    IBAN = "iban"
    PHONE = "phone"
    IP_ADDRESS = "ip"
    SOCIAL_SECURITY = "ssn"


@dataclass(frozen=True)
class Found:
    """A place in a text that holds personal data or a secret."""

    kind: Kind
    start: int
    end: int


def redact(text: str, keep: Collection[str] = ()) -> str:
    """The text with everything masked that was found, but for the values in `keep` (see `value_key`)."""
    places = find(text)
    return _masked(text, [one for one in places if value_key(one.kind, text[one.start : one.end]) not in keep])


def without_secrets(text: str) -> str:
    """The text with secrets masked alone: for logs, in which addresses and numbers are of use."""
    return _masked(text, _find(text, _SECRET_FINDERS))


def _masked(text: str, places: Sequence[Found]) -> str:
    parts, position = [], 0
    for found in places:
        parts += [text[position : found.start], f"[{found.kind}]"]
        position = found.end
    return "".join([*parts, text[position:]])


def value_key(kind: Kind, value: str) -> str:
    """One key for all ways of writing a value: letters and digits alone, without case."""
    return f"{kind}:{re.sub(r'[^0-9a-z@]', '', value.casefold())}"


def values(text: str) -> set[str]:
    """The keys of everything found in a text."""
    return {value_key(found.kind, text[found.start : found.end]) for found in find(text)}


def find(text: str) -> list[Found]:
    """Every place that holds personal data or a secret, in order; where kinds overlap, the first of `Kind` wins."""
    return _find(text, _FINDERS)


def _find(text: str, finders: "Sequence[Finder]") -> list[Found]:
    taken: list[Found] = []
    look = _Look(text)
    covered = bytearray(len(text))
    for hint, finder in finders:
        if not hint(look):
            continue
        for found in finder(text):
            if not any(covered[found.start : found.end]):
                covered[found.start : found.end] = b"\x01" * (found.end - found.start)
                taken.append(found)
    return sorted(taken, key=lambda found: found.start)


# As the vendors document them.
_TOKENS = re.compile(
    r"""
    (?<![A-Za-z0-9])(?=[A-Za-z0-9])(?:
      xox[abeoprs](?:-[A-Za-z0-9]{1,80}){1,6}
    | xapp-\d-[A-Za-z0-9]{5,20}-\d{5,20}-[a-f0-9]{20,80}
    | https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,120}
    | (?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b
    | gh[pousr]_[A-Za-z0-9]{30,255}\b
    | github_pat_[A-Za-z0-9_]{50,100}\b
    | gl(?:pat|dt|ft|ptt|soat|rt|cbt|imt|agent|oas)-[A-Za-z0-9_\-]{20,1024}\b
    | GR1348941[A-Za-z0-9_\-]{20,50}
    | AKC[A-Za-z0-9]{40,80}\b
    | AP[\dABCDEF][A-Za-z0-9]{30,80}\b
    | AccountKey=[A-Za-z0-9+/=]{80,90}
    | [MNO][A-Za-z\d_\-]{23,25}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,40}
    | [0-9a-f]{32}-us\d{1,2}\b
    | \d{8,10}:[0-9A-Za-z_\-]{35}\b
    | sq0(?:csp|atp)-[0-9A-Za-z\-_]{22,43}
    | AC[a-f0-9]{32}\b
    | sk-(?:ant-[a-z0-9]{2,8}-|proj-|svcacct-)?[A-Za-z0-9_\-]{20,180}
    | [rs]k_(?:live|test)_[A-Za-z0-9]{10,120}\b
    | AIza[A-Za-z0-9_\-]{35}
    | ya29\.[A-Za-z0-9_\-]{20,400}
    | hf_[A-Za-z0-9]{30,60}\b
    | npm_[A-Za-z0-9]{36}\b
    | pypi-[A-Za-z0-9_\-]{50,400}
    | SG\.[A-Za-z0-9_\-]{20,24}\.[A-Za-z0-9_\-]{39,50}
    | SK[a-f0-9]{32}\b
    | dop_v1_[a-f0-9]{64}\b
    | shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b
    | EAACEdEose0cBA[A-Za-z0-9]{1,200}
    | glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b
    | vault:v\d{1,3}:[A-Za-z0-9+/=]{10,400}
    | hv[sb]\.[A-Za-z0-9_\-]{20,200}
    | AGE-SECRET-KEY-1[0-9A-Z]{58}\b
    | eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{8,4000}(?:\.[A-Za-z0-9_\-]{0,2000})?
    )
    """,
    re.VERBOSE,
)
_KEY_BEGINS = re.compile(r"-----BEGIN[A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END[A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----")
_PASSWORD = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|pwd|secret|api[ _-]?key|access[ _-]?key|auth[ _-]?token|client[ _-]?secret"
    r"|account[ _-]?key)[\"']?\s{0,3}(?:(?:is\s?)?(?:=>|:=|[:=])|is(?=\s{1,3}[\"']?[^\s\d]{0,60}[\d!@#$%^&*]))"
    r"\s{0,3}[\"']?(?P<value>[^\s\"',;<>\[\]]{6,200})"
)
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s:/@]{1,100}:(?P<value>[^\s:/@]{3,200})@")
_EMAIL = re.compile(
    r"(?<![\w.+\-])[\w][\w.+%'\-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b"
)
_DIGITS = re.compile(r"(?<![\w\-.+])\d(?:[ \-]?\d){11,18}(?![\w\-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_PHONE = re.compile(r"(?<![\w@.\-/#])(?:\+ ?|\()?\d[\d()./\- ]{5,24}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\w@\-])")
_IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d|\w)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{4,39}(?![\w:])")
_SSN = re.compile(r"(?<![\w\-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w\-])")
# A date, or a year and a number as on invoices.
_DATE = re.compile(r"(?:19|20)\d\d-\d{1,6}$|\d{4}([-./])\d{1,2}\1\d{1,2}\b|\d{1,2}([-./])\d{1,2}\2\d{2,4}\b(?!\2)")
MOST_CHECKED = 100
"""So many different numbers of one text are checked."""
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "DK", "NO", "AU", "NZ", "IN", "BR", "CH", "AT", "BE", "PL")


def _private_keys(text: str) -> Iterator[Found]:
    position = 0
    while begins := _KEY_BEGINS.search(text, position):
        ends = _KEY_ENDS.search(text, begins.end())
        # A key whose end was cut off is secret to the last character.
        position = ends.end() if ends else len(text)
        yield Found(Kind.SECRET, begins.start(), position)


def _values(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Found]]:
    def finder(text: str) -> Iterator[Found]:
        for found in pattern.finditer(text):
            yield Found(Kind.SECRET, *found.span("value"))

    return finder


def _by(kind: Kind, pattern: re.Pattern[str], valid: Callable[[str], bool] = bool) -> Callable[[str], Iterator[Found]]:
    def finder(text: str) -> Iterator[Found]:
        for found in pattern.finditer(text):
            if valid(found[0]):
                yield Found(kind, *found.span())

    return finder


def _is_card(value: str) -> bool:
    return bool(luhn.is_valid(re.sub(r"\D", "", value)))


def _is_ip(value: str) -> bool:
    try:
        return ip_address(value).version == 6
    except ValueError:
        return False


def _phones(text: str) -> Iterator[Found]:
    checked: dict[str, bool] = {}
    for found in _PHONE.finditer(text):
        value = found[0]
        if value not in checked:
            # Checking costs far more than finding: a text that is full of numbers is masked without.
            checked[value] = len(checked) >= MOST_CHECKED or _is_phone(value)
        if checked[value]:
            yield Found(Kind.PHONE, *found.span())


def _is_phone(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    if not 7 <= len(digits) <= 15 or _DATE.match(value):
        return False
    if value.startswith("+"):
        return _valid(value, None)
    # A bare run of digits is an order or ticket number far more often than a telephone.
    return not value.isdigit() and any(_valid(value, region) for region in _REGIONS)


def _valid(value: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False


class _Look:
    """What a text has that finders need, each looked for once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.casefold()

    @cached_property
    def digit(self) -> bool:
        if self.text.isascii():
            return any(map(self.text.__contains__, string.digits))
        return re.search(r"\d", self.text) is not None

    @cached_property
    def long_word(self) -> bool:
        # The shortest of the tokens has fifteen characters, but for Slack's oldest.
        return "xox" in self.text or max(map(len, self.text.split()), default=0) >= 15


Hint = Callable[[_Look], object]


def _has(*parts: str) -> Hint:
    return lambda look: any(map(look.folded.__contains__, parts))


_has_digit: Hint = attrgetter("digit")
Finder = tuple[Hint, Callable[[str], Iterator[Found]]]
_SECRET_FINDERS: tuple[Finder, ...] = (
    (_has("-----begin"), _private_keys),
    (attrgetter("long_word"), _by(Kind.SECRET, _TOKENS)),
    (_has("pass", "pwd", "secret", "key", "token"), _values(_PASSWORD)),
    (_has("://"), _values(_IN_URL)),
)
_FINDERS: tuple[Finder, ...] = (
    *_SECRET_FINDERS,
    (_has("@"), _by(Kind.EMAIL, _EMAIL)),
    (_has_digit, _by(Kind.CARD, _DIGITS, _is_card)),
    (_has_digit, _by(Kind.IBAN, _IBAN, lambda value: bool(iban.is_valid(value)))),
    (_has_digit, _by(Kind.SOCIAL_SECURITY, _SSN)),
    (_has_digit, _by(Kind.IP_ADDRESS, _IPV4)),
    (lambda look: look.text.count(":") > 1, _by(Kind.IP_ADDRESS, _IPV6, _is_ip)),
    (_has_digit, _phones),
)
"""Each finder with what a text must have for it to find anything at all: most texts have nothing, and are many."""
