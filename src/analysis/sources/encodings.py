"""Which encoding a text file is in: UTF-8 where its bytes are UTF-8, GB18030 where they are plausibly Chinese, else nothing is guessed."""

from __future__ import annotations

import codecs
from pathlib import Path

from analysis.errors import SourceError

PIECE = 1 << 20
#: Of the two-byte characters of a Chinese business file nearly all are common ones (GB 2312 level 1, 3,755 characters) or its punctuation;
#: read as GB18030, broken UTF-8 and Western encodings give rare ones.
COMMON_SHARE = 0.85


def find_encoding(path: Path, name: str) -> str:
    """``utf-8`` or ``gb18030``; the whole file is read once, in pieces.

    Raises SourceError with the first byte that is not UTF-8 where the file is neither.
    """
    place = first_undecodable(path, "utf-8")
    if place is None:
        return "utf-8"
    position, byte, head = place
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise SourceError(
            f"{name}: not a text file in UTF-8; it may be UTF-16 or a workbook. Export it as CSV in UTF-8."
        )
    if _is_plausibly_chinese(path):
        return "gb18030"
    raise SourceError(
        f"{name}: not UTF-8 (byte {position + 1:,} is {byte:#04x}), and it does not read as Chinese in GB18030 either. "
        "Export it as CSV in UTF-8, or state its encoding in the source map."
    )


def first_undecodable(path: Path, encoding: str) -> tuple[int, int, bytes] | None:
    """(position, byte, first bytes of the file) of the first byte that does not fit the encoding; None where all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done, head = 0, b""
    with path.open("rb") as file:
        while True:
            piece = file.read(PIECE)
            head = head or piece[:4096]
            pending = decoder.getstate()[0]
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                position = done - len(pending) + error.start
                return position, error.object[error.start], head
            done += len(piece)
            if not piece:
                return None


def _is_plausibly_chinese(path: Path) -> bool:
    """Strict GB18030 whose characters beyond ASCII are nearly all common ones."""
    decoder = codecs.getincrementaldecoder("gb18030")()
    common = beyond = 0
    try:
        with path.open("rb") as file:
            while True:
                piece = file.read(PIECE)
                for character in decoder.decode(piece, final=not piece):
                    if character > "\x7f":
                        beyond += 1
                        common += _is_common(character)
                if not piece:
                    break
    except UnicodeDecodeError:
        return False
    return beyond > 0 and common >= COMMON_SHARE * beyond


def _is_common(character: str) -> bool:
    """In rows 1 to 3 (punctuation, full-width Latin) or 16 to 55 (level 1) of GB 2312."""
    code = _codes.get(character)
    if code is None:
        pair = character.encode("gb18030")
        code = len(pair) == 2 and pair[1] >= 0xA1 and (0xA1 <= pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xD7)
        _codes[character] = code
    return code


_codes: dict[str, bool] = {}
