"""What a translator gets of a markdown cell."""

from __future__ import annotations

from unittest import mock

from analysis.exhibits import prose
from analysis.locale import Language


def prose_messages(markdown: str) -> list[str]:
    """The keys that the catalogue is asked for, in order."""
    asked: dict[str, None] = {}

    def translate(message: str, language: Language) -> str:
        asked[message] = None
        return message

    with mock.patch.object(prose, "translate", translate):
        prose.prose_blocks(markdown, "zh")
    return list(asked)
