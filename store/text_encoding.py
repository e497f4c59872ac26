"""Which encoding a text file has, told before a line of it is used; a file that is not text is refused."""

import codecs
from collections.abc import Iterable
from pathlib import Path

from charset_normalizer import from_bytes

from store.errors import BadInput

UTF_8 = "utf-8-sig"
"""UTF-8 with or without a byte order mark."""

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands in a text where the file's bytes were none in its encoding (open it with `errors="replace"`)."""

BINARY_PROBE_BYTES = 8192
SAMPLE_BYTES = 256 * 1024
MAX_LINE_BYTES = 1 << 20

# How much of a text may look garbled to charset-normalizer, from 0 to 1, before its guess is not taken.
MAX_CHAOS = 0.02

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def encoding_of(path: Path) -> str:
    """The name of a codec that reads the file.

    UTF-8 is tried first. A file with some UTF-8 beyond ASCII and some broken lines is UTF-8 all the same: guessing
    another encoding for it would garble the lines that are right.

    Raises:
        BadInput: the file is missing, a folder, empty, unreadable, binary, or in an encoding that cannot be told.
    """
    try:
        _refuse_what_is_no_file(path)
        with path.open("rb") as file:
            start = file.read(BINARY_PROBE_BYTES)
            if start.startswith(UTF_16_MARKS):
                return "utf-16"
            if b"\0" in start:
                raise BadInput(f"{path} is a binary file, not text: hand in JSONL or CSV.")
            if not start.strip().removeprefix(codecs.BOM_UTF8):
                raise BadInput(f"{path} is empty: hand in JSONL or CSV with at least one ticket.")
            file.seek(0)
            if _is_utf_8(iter(lambda: file.readline(MAX_LINE_BYTES), b"")):
                return UTF_8
            file.seek(0)
            return _guessed(path, file.read(SAMPLE_BYTES))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a JSONL or CSV file in it.")
    if not path.exists():
        raise BadInput(f"There is no file {path}: check the path.")
    if not path.is_file():
        raise BadInput(f"{path} is not a regular file: hand in JSONL or CSV.")


def _is_utf_8(lines: Iterable[bytes]) -> bool:
    broken = False
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError as error:
            # A line longer than one read may be cut within a character: that is no damage.
            cut = len(line) == MAX_LINE_BYTES and error.start >= len(line) - 3
            broken = broken or not cut
        else:
            return True
    return not broken


def _guessed(path: Path, sample: bytes) -> str:
    guess = from_bytes(sample).best()
    if guess is None or guess.chaos > MAX_CHAOS:
        raise BadInput(f"{path} is not UTF-8, and its encoding cannot be told with certainty: save it as UTF-8.")
    return guess.encoding
