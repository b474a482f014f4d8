"""Which encoding a text file is in: UTF-8 where its bytes are UTF-8, else the East Asian encoding in which it reads as a language.

The two-byte encodings of Chinese, Korean and Japanese overlap: the bytes of Korean words are common Chinese characters as well. So
a file is read in each of them, and the one counts in which its characters are those that its language uses most. Where two are
about as good, or none is good enough, nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import SourceError

PIECE = 1 << 20
#: Characters beyond ASCII that are weighed; more would not change the answer.
WEIGHED = 200_000
#: Share of the characters that must be ones of the language at all, and by how much the best reading must surpass the next.
LEAST_SHARE, LEAST_LEAD = 0.85, 1.3
#: Of so many characters at least this share is frequent in any text of the language; a name or two may have none.
ENOUGH, LEAST_FREQUENT = 24, 0.15
#: Share of full-width letters beside half-width kana.
LEAST_FULL = 0.1
#: A character counts as frequent that stands in these lists: of the words that exports are made of, and of running text.
FREQUENT_CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如"
    "都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高"
    "间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员"
    "解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保"
    "客户单号期订售后维修服务金额科目编码借贷凭证摘要备件工单电话地址省市县城镇街路店品型类别状态时间日期名称数量价费用合计总额产品序列保修"
    "投诉退换货安装配送师傅上门收款付发票供应商部门项目人员工资社会险公积金运输料库存结转本年利润收入支出贷方借方余北南京广州深圳杭苏武汉重庆"
    "張李王劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅张刘陈杨赵黄吴孙马罗伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛超明霞平刚桂"
    "這個們來為國說時會對於發後過種經當沒動還進樣開從實無與長機關點業將兩間問應戰頭體產給變總電數報結務場計資許統區戶單號訂維"
    "額編碼憑證備址縣鎮類別狀態稱價費產換貨裝師傅門發"
)
FREQUENT_HANGUL = frozenset(
    "이다의는을에가고하지한로은기도사를대인리자시어그일들전수서나나정아과부제보해라장있만니스상면원세선주개신여공안마성동조중구미요와오관금비게었년"
    "화경으계모위방학문내생용소진없행국적간유적업실물연우술당체습것했거되된등무분명결바러트드르까야려영예외월작점접품번호객고계약점처리담납류단"
    "출입력발송완료접수불만환교설치반품서비스센터매량총액합세목항코드날짜주소이름김박최강윤임장조한오신권황안송류홍울산천광"
)
FREQUENT_KANJI = frozenset(
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨"
    "会社員部品番号顧客修理保証期間種類費用合計額勘定科目借方貸方摘要伝票店舗担当者住所氏名製造機器型状態受付完了対応苦情返交換設置請求払済売上数量単価税込区分備考"
    "株式田村藤佐鈴高橋渡辺伊林加吉井松木清崎池阿森石小野神阪京都県市町駅"
)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One encoding a file may be in: ``own`` are characters its language has at all, ``frequent`` those it uses most."""

    codec: str
    language: str
    own: Callable[[str], bool]
    frequent: Callable[[str], bool]


def _is_kana(char: str) -> bool:
    return "\u3041" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9f"


def _is_mark(char: str) -> bool:
    """Punctuation and full-width signs, which all of these encodings have."""
    return "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e" or "\u2010" <= char <= "\u22ff"


def _is_hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3"


def _in_rows(codec: str, first: int, last: int) -> Callable[[str], bool]:
    """Characters whose bytes begin in these rows of a national set: its commoner half."""
    known: dict[str, bool] = {}

    def within(char: str) -> bool:
        if char not in known:
            pair = char.encode(codec, "ignore")
            known[char] = (
                len(pair) == 2 and first <= pair[0] <= last and (codec != "gb18030" or pair[1] >= 0xA1)
            )
        return known[char]

    return within


_chinese, _traditional, _japanese = (
    _in_rows("gb18030", 0xB0, 0xD7),
    _in_rows("big5", 0xA4, 0xC6),
    _in_rows("euc_jp", 0xB0, 0xCF),
)
_READINGS = (
    _Reading(codec="gb18030", language="Chinese", own=_chinese, frequent=FREQUENT_CHINESE.__contains__),
    _Reading(codec="big5", language="Chinese", own=_traditional, frequent=FREQUENT_CHINESE.__contains__),
    _Reading(codec="cp949", language="Korean", own=_is_hangul, frequent=FREQUENT_HANGUL.__contains__),
    _Reading(
        codec="cp932",
        language="Japanese",
        own=lambda char: _is_kana(char) or _japanese(char),
        frequent=lambda char: _is_kana(char) or char in FREQUENT_KANJI,
    ),
    _Reading(
        codec="euc_jp",
        language="Japanese",
        own=lambda char: _is_kana(char) or _japanese(char),
        frequent=lambda char: _is_kana(char) or char in FREQUENT_KANJI,
    ),
)
#: The language that an encoding is read as, for the words of a check.
LANGUAGE: Mapping[str, str] = {reading.codec: reading.language for reading in _READINGS}


def find_encoding(path: Path, name: str) -> str:
    """``utf-8``, ``gb18030``, ``big5``, ``cp949``, ``cp932`` or ``euc_jp``; the whole file is read, in pieces.

    Raises SourceError with the first byte that is not UTF-8 where the file reads as none of them, or as two.
    """
    place = first_undecodable(path, "utf-8")
    if place is None:
        return "utf-8"
    position, byte, head = place
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise SourceError(
            f"{name}: not a text file in UTF-8; it may be UTF-16 or a workbook. Export it as CSV in UTF-8."
        )
    scores = sorted(
        ((share, reading) for reading in _READINGS if (share := _frequent_share(path, reading)) > 0),
        key=lambda scored: -scored[0],
    )
    if not scores:
        raise SourceError(
            f"{name}: not UTF-8 (byte {position + 1:,} is {byte:#04x}), and it does not read as Chinese, Korean or Japanese either "
            "(GB18030, Big5, CP949, Shift JIS, EUC). Export it as CSV in UTF-8, or state its encoding in the source map."
        )
    others = [scored for scored in scores[1:] if scored[1].codec != scores[0][1].codec]
    if others and scores[0][0] < LEAST_LEAD * others[0][0]:
        raise SourceError(
            f"{name}: not UTF-8, and it reads about as well as {scores[0][1].language} in {scores[0][1].codec.upper()} as it does as "
            f"{others[0][1].language} in {others[0][1].codec.upper()}. Export it as CSV in UTF-8, or state its encoding in the source map."
        )
    return scores[0][1].codec


#: Letters beyond ASCII of languages that are written with one byte a letter, by the encodings their systems use: Windows', the old ones
#: of DOS and of the Mac. French, German, Spanish and others share an encoding; what tells encodings apart is whose letters come out.
_LETTERS: Mapping[str, str] = {
    "German": "äöüÄÖÜßé",
    "French": "éèêëàâçùûîïôœæÉÈÊÀÇÎŒ",
    "Spanish": "áéíóúñüÁÉÍÓÚÑºª",
    "Portuguese": "áàâãéêíóôõúçÁÂÃÉÊÍÓÔÕÚÇºª",
    "Italian": "àèéìòùÀÈÉÌÒÙ",
    "Nordic": "åäöæøéÅÄÖÆØ",
    "Dutch": "éëïöüèÉË",
    "Polish": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "Czech": "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ",
    "Slovak": "áäčďéíĺľňóôŕšťúýžÁČĎÉÍĹĽŇÓÔŔŠŤÚÝŽ",
    "Hungarian": "áéíóöőúüűÁÉÍÓÖŐÚÜŰ",
    "Romanian": "ăâîşţĂÂÎŞŢ",
    "Croatian": "čćđšžČĆĐŠŽ",
    "Turkish": "çğıöşüâîÇĞİÖŞÜ",
    "Russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяАБВГҐДЕЄЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЮЯ",
    "Greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ",
}
#: The most frequent letters of languages in a script of their own: two thirds and more of any text.
_USUAL: Mapping[str, str] = {
    "Russian": "оеаинтсрвлкм",
    "Ukrainian": "оаинтвресклм",
    "Greek": "αοιετσςνηυρπκλμάέήίό",
}
LEAST_USUAL = 0.6
_MIXED = re.compile(r"[A-Za-z](?=[^\x00-\x7f])|(?<=[^\x00-\x7f])[A-Za-z]")
_WESTERN = ("German", "French", "Spanish", "Portuguese", "Italian", "Nordic", "Dutch")
_SINGLE_BYTE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1250", ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian")),
    ("cp1251", ("Russian", "Ukrainian")),
    ("cp1254", ("Turkish",)),
    ("cp1253", ("Greek",)),
    ("cp850", _WESTERN),
    ("cp852", ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian")),
    ("cp866", ("Russian",)),
    ("mac_roman", _WESTERN),
)
_SIGNS_BESIDE = frozenset("€£¥§°²³µ–—…„“”‘’«»·×®©™´\xa0¡¿½¼¾")


def likely_encoding(path: Path) -> str:
    """The encoding of one byte a letter, or UTF-16 by its mark, in which a file most likely is; blank where nothing tells.

    Bytes alone do not prove such an encoding, so no file is read by it unless a map states it; a proposal says which to state.
    """
    with path.open("rb") as file:
        head = file.read(PIECE)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    best = ("", 0.0)
    for codec, languages in _SINGLE_BYTE:
        if b"\x00" in head or first_undecodable(path, codec) is not None:
            continue
        text = head.decode(codec, "ignore")
        met = Counter(char for char in text if char > "\x7f" and char not in _SIGNS_BESIDE)
        if not met:  # signs alone, such as that of a currency, stand where Windows has them
            if codec == _SINGLE_BYTE[0][0]:
                return codec
            continue
        for language in languages:
            share = _share_of(language, met, text)
            if share > best[1]:  # of two as good the first: most of their letters are the same bytes
                best = (codec, share)
    return best[0] if best[1] >= LEAST_SHARE else ""


def _share_of(language: str, met: Counter[str], text: str) -> float:
    """Share of the characters beyond ASCII that are the language's; of one in a script of its own only in words of that script, as frequent as there."""
    share = sum(met[letter] for letter in _LETTERS[language]) / sum(met.values())
    usual = _USUAL.get(language)
    if usual is None:
        return share
    mixed = len(_MIXED.findall(text)) / sum(met.values())
    frequent = sum(met[letter] + met[letter.upper()] for letter in usual) / sum(met.values())
    return share * (1 - mixed) if frequent >= LEAST_USUAL else 0.0


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


def _frequent_share(path: Path, reading: _Reading) -> float:
    """Share of the characters beyond ASCII that the language uses most; 0 where the file is not strictly in the encoding, or no such language."""
    decoder = codecs.getincrementaldecoder(reading.codec)()
    met: Counter[str] = Counter()
    try:
        with path.open("rb") as file:
            while True:
                piece = file.read(PIECE)
                text = decoder.decode(piece, final=not piece)
                if sum(met.values()) < WEIGHED:
                    met.update(char for char in text if char > "\x7f")
                if not piece:
                    break
    except UnicodeDecodeError:
        return 0.0
    letters = Counter({char: count for char, count in met.items() if not _is_mark(char)})
    total = sum(letters.values())
    own = sum(count for char, count in letters.items() if reading.own(char))
    if not total or own < LEAST_SHARE * total:
        return 0.0
    # Any byte from A1 to DF is a half-width kana: alone they prove nothing.
    half = sum(count for char, count in letters.items() if "\uff66" <= char <= "\uff9f")
    if half and own - half < LEAST_FULL * total:
        return 0.0
    share = sum(count for char, count in letters.items() if reading.frequent(char)) / total
    if total >= ENOUGH and share < LEAST_FREQUENT:
        return 0.0
    return max(share, 1 / (2 * ENOUGH))
