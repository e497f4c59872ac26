"""Texts as the base model reads them: empty, too long, or with control tokens that got through.

Reads the tokenizer and the chat template from the model's folder without torch, which the scheduler never loads.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers.utils.chat_template_utils import render_jinja_template

from store.errors import BadInput
from store.prompt import ChatMessage
from trainer.curate.lesson import Lesson, Reason, Tally


class ModelTexts:
    """The tokenizer and chat template of a base model's folder."""

    def __init__(self, folder: Path) -> None:
        """Read them.

        Raises:
            BadInput: the folder lacks a fast tokenizer or a chat template.
        """
        self._tokenizer = Tokenizer.from_file(str(_needed(folder / "tokenizer.json")))
        self._names = _special_names(folder)
        self._template = _template(folder)
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = {id_ for id_, token in added.items() if token.special}
        self._control_texts = [token.content for token in added.values() if token.special]

    def rendered(self, prompt: Sequence[ChatMessage], completion: str) -> str:
        """The whole conversation as the model reads it in training."""
        chat = [dict(turn) for turn in prompt] + [{"role": "assistant", "content": completion}]
        texts: Any = render_jinja_template([chat], chat_template=self._template, **self._names)
        return str(texts[0][0])

    def longer_than(self, lessons: Sequence[Lesson], tokens: int) -> set[int]:
        """The answers of the lessons that have more than so many tokens, prompt and completion together."""
        texts = ((lesson.answer_id, self.rendered(lesson.prompt, lesson.completion)) for lesson in lessons)
        # No tokenizer makes more tokens than there are bytes, and one that begins the text.
        doubtful = [(id_, text) for id_, text in texts if len(text.encode()) >= tokens]
        read = self._tokenizer.encode_batch_fast([text for _, text in doubtful], add_special_tokens=False)
        return {id_ for (id_, _), found in zip(doubtful, read, strict=True) if len(found.ids) > tokens}

    def with_control_tokens(self, lessons: Sequence[Lesson]) -> set[int]:
        """The answers where something that a person or a model wrote would be read as a control token."""
        said = [
            (lesson.answer_id, text)
            for lesson in lessons
            for text in (*(turn["content"] for turn in lesson.prompt if turn["role"] != "system"), lesson.completion)
            # What is not plain ASCII may become a control token's text only as the tokenizer normalises it.
            if not text.isascii() or any(map(text.__contains__, self._control_texts))
        ]
        read = self._tokenizer.encode_batch_fast([text for _, text in said], add_special_tokens=False)
        return {id_ for (id_, _), found in zip(said, read, strict=True) if not self._control.isdisjoint(found.ids)}


def fitting(lessons: Sequence[Lesson], texts: ModelTexts, max_length: int, tally: Tally) -> list[Lesson]:
    """The lessons with a question and an answer, of plain text, of at most `max_length` tokens in all."""

    def is_empty(lesson: Lesson) -> bool:
        return not lesson.question.strip() or not lesson.completion

    filled = tally.keep(lessons, lambda lesson: Reason.EMPTY if is_empty(lesson) else None)
    control = texts.with_control_tokens(filled)
    plain = tally.keep(filled, lambda lesson: Reason.CONTROL_TOKENS if lesson.answer_id in control else None)
    too_long = texts.longer_than(plain, max_length)
    return tally.keep(plain, lambda lesson: Reason.TOO_LONG if lesson.answer_id in too_long else None)


def _needed(file: Path) -> Path:
    if not file.is_file():
        raise BadInput(f"The base model's folder {file.parent} has no {file.name}; use a model that ships one.")
    return file


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(_needed(folder / "tokenizer_config.json").read_text())
    return config


def _template(folder: Path) -> str:
    file = folder / "chat_template.jinja"
    template = file.read_text() if file.is_file() else _config(folder).get("chat_template")
    if not isinstance(template, str):
        raise BadInput(f"The base model's folder {folder} has no chat template; use an instruction-tuned model.")
    return template


def _special_names(folder: Path) -> dict[str, str]:
    # Templates may use {{ bos_token }} and the like; older configurations wrap the string in an object.
    found = {}
    for name, value in _config(folder).items():
        if name.endswith("_token") and value is not None and not isinstance(value, bool):
            found[name] = value["content"] if isinstance(value, dict) else str(value)
    return found
