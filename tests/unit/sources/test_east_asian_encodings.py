"""Two-byte encodings overlap: each is known by the language its bytes make."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources.encodings import find_encoding

WORDS = {
    "gb18030": (
        "工单号,客户,金额\nT1,张伟,100\nT2,李娜,200\n",
        "id,问题\n1,洗衣机漏水且噪音很大，师傅上门维修后仍不脱水\n",
        "id,name\n1,欧阳锋\n",
    ),
    "big5": ("工單號,客戶,金額\nT1,張偉,100\n", "id,問題\n1,洗衣機漏水，師傅上門維修後仍然不能脫水\n"),
    "cp949": (
        "주문번호,고객명,금액\nT1,김철수,100\n",
        "id,text\nT1,세탁기에서 물이 새고 소음이 심합니다\n",
        "id,name\n1,서울\n",
        "일자,계정,차변,대변\n",
    ),
    "cp932": (
        "注文番号,顧客名,金額\nT1,佐藤健,100\n",
        "番号,ｶｽﾀﾏｰ\nT1,ﾔﾏﾀﾞ ﾀﾛｳ\n",
        "番号,内容\nT1,洗濯機から水が漏れています\n",
    ),
    "euc_jp": (
        "注文番号,顧客名,金額\nT1,佐藤健,100\nT2,鈴木一郎,1\n",
        "番号,内容\nT1,洗濯機から水が漏れています\n",
    ),
}


@pytest.mark.parametrize(
    ("codec", "text"), [(codec, text) for codec, texts in WORDS.items() for text in texts]
)
def test_a_file_is_read_in_the_encoding_of_its_language(tmp_path: Path, codec: str, text: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode(codec))
    found = find_encoding(path, "export.csv")
    assert path.read_bytes().decode(found) == text
    assert found == codec


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1252", "id,name\n1,Müller\n2,José\n"),
        ("cp1250", "id,name\n1,Łódź\n2,Győr\n"),
        ("cp1251", "номер,клиент\n1,Иванов\n"),
        ("cp1251", "НОМЕР,КЛИЕНТ\n1,ИВАНОВ ИВАН ИВАНОВИЧ\n2,ПЕТРОВА МАРИЯ\n"),
    ],
)
def test_other_encodings_are_refused_not_guessed(tmp_path: Path, codec: str, text: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode(codec))
    with pytest.raises(SourceError, match="state its encoding"):
        find_encoding(path, "export.csv")
