"""The message catalogue: English is the key, Chinese is looked up.

Wording lives in ``locale/zh/*.po`` (gettext, one file a section), so an editor changes a sentence without touching
code. A message without a translation is rendered in English and remembered in :func:`untranslated`; an
analyst may go on exploring, but the pack is not published until the list is empty.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_missing: set[str] = set()


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Every message and its wording in ``language``, from all files of its folder.

    A message with a context (``msgctxt``: one English word, two Chinese ones) stands under ``context|message``, see :func:`keyed`.
    """
    from babel.messages.pofile import read_po

    messages: dict[str, str] = {}
    folder = resources.files(__package__) / language
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".po"):
            continue
        with entry.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.string and not message.fuzzy:
                    messages[keyed(str(message.id), message.context or "")] = str(message.string)
    return messages


def keyed(message: str, context: str = "") -> str:
    """The catalogue's key of a message in a context."""
    return f"{context}|{message}" if context else message


def translate(message: str, language: Language, *, context: str = "") -> str:
    """The message in ``language``; English when the catalogue does not know it (see :func:`untranslated`)."""
    if language == "en" or not has_words(message):
        return message
    found = catalogue(language).get(keyed(message, context))
    if found is None:
        _missing.add(message)
        return message
    return found


# Han characters and the marks between them; a space between two of these is a slip of typesetting.
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_WIDE = rf"[\u3000-\u303f{_HAN}\uff00-\uffef‘’“”]"
_STRAY = re.compile(rf"(?<={_WIDE})\s+(?={_WIDE})")
# A number has a space to either side of it; a date is one word, as are 2026年10月31日 and 2026年4季度.
_TIGHT = re.compile(rf"(?<=[{_HAN}])(?<![0-9][年月])(?=[−+]?[0-9])|(?<=[0-9%])(?=[{_HAN}])(?![年月日季])")


def spaced(pieces: Sequence[str], *, own: Sequence[bool]) -> list[str]:
    """Pieces of a Chinese sentence with a space between a Han character and a number, and none between two Han characters.

    A message cannot know which it needs: beside the same word may stand a figure, a date or a name. Only the message's ``own`` words
    change, never a value.

    >>> spaced(["188 万元", " 仅覆盖 ", "48.7%"], own=[False, True, False])
    ['188 万元', '仅覆盖 ', '48.7%']
    >>> spaced(["比预算高", "9.68 万元"], own=[True, False])
    ['比预算高 ', '9.68 万元']
    """
    chars = list(whole := "".join(pieces))
    piece_of = [number for number, piece in enumerate(pieces) for _ in piece]
    for found in _STRAY.finditer(whole):
        for place in range(*found.span()):
            chars[place] = "" if own[piece_of[place]] else chars[place]
    for found in _TIGHT.finditer(whole):
        left, right = found.start() - 1, found.start()
        if own[piece_of[left]]:
            chars[left] += " "
        elif own[piece_of[right]]:
            chars[right] = f" {chars[right]}"
    texts = [""] * len(pieces)
    for number, char in zip(piece_of, chars, strict=True):
        texts[number] += char
    return texts


def _filled_chinese(template: str, values: Mapping[str, object]) -> str:
    formatter, pieces, own = string.Formatter(), [], []
    for literal, name, specification, _ in formatter.parse(template):
        pieces.append(literal)
        own.append(True)
        if name is not None:
            pieces.append(format(values[name], specification or ""))
            own.append(False)
    return "".join(spaced(pieces, own=own))


def has_words(message: str) -> bool:
    """A template of placeholders and signs alone needs no translation."""
    return any(char.isalpha() for char in re.sub(r"{[^{}]*}", "", message))


def untranslated() -> tuple[str, ...]:
    """Messages asked for in this process that the Chinese catalogue lacks."""
    return tuple(sorted(_missing))


@dataclass(frozen=True)
class Text:
    """One wording in both languages: a name from the registry, a label, a fixed phrase."""

    en: str
    zh: str

    def __getitem__(self, language: Language) -> str:
        return self.en if language == "en" else self.zh

    @classmethod
    def of(cls, message: str, *, context: str = "") -> Text:
        """The catalogue's wording of an English message; ``context`` tells homographs apart (Model: 型号 or 模型)."""
        return cls(en=message, zh=translate(message, "zh", context=context))

    @classmethod
    def filled(cls, message: str, **values: object) -> Text:
        """A message of the catalogue with its values in place, each ``Text`` among them in its own language.

        What is said of a fact belongs into a :class:`analysis.results.Sentence`, which keeps the fact.
        """
        english = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
        chinese = {name: value.zh if isinstance(value, Text) else value for name, value in values.items()}
        return cls(en=message.format_map(english), zh=_filled_chinese(translate(message, "zh"), chinese))

    @classmethod
    def same(cls, text: str) -> Text:
        """Text from the data: a model, a region, a person's file; it is not translated."""
        return cls(en=text, zh=text)

    @classmethod
    def joined(cls, texts: Iterable[Text], *, en: str = ", ", zh: str = "、") -> Text:
        """Several texts in a row, with the marks that each language puts between them."""
        texts = list(texts)
        return cls(en=en.join(text.en for text in texts), zh=zh.join(text.zh for text in texts))

    def as_json(self) -> dict[str, str]:
        return {"en": self.en, "zh": self.zh}
