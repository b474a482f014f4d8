"""Which encoding a file is in is proved from its bytes, or refused."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources.encodings import find_encoding, likely_encoding
from analysis.tables import load_tables

CHINESE = "工单编号,类型,备注\nT1,维修,东区售后服务中心：压缩机更换，保修期内\nT2,投诉,客户张三反映噪音过大\n"
LEDGER = {
    "table": "ledger",
    "file": "gl.csv",
    "columns": {"posting_id": "编号", "posted_on": "日期", "amount": "金额", "cost_center": "部门"},
}


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + CHINESE.encode(), "utf-8"),
        (CHINESE.encode("gb18030"), "gb18030"),
        ("a,b\n1,好\n".encode("gb18030"), "gb18030"),
        (
            ("x" * (1 << 20) + "维修\n" * 9).encode("gb18030"),
            "gb18030",
        ),  # a character across two pieces of the file
        (("维修" * (1 << 19)).encode("gb18030"), "gb18030"),
    ],
)
def test_found(tmp_path: Path, content: bytes, encoding: str):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert find_encoding(path, "t.csv") == encoding


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name\nMüller & Söhne\n".encode("cp1252"), r"byte 7 is 0xfc"),
        (
            "préférée,été\n".encode("latin-1"),
            r"not UTF-8 \(byte 3 is 0xe9\), and it does not read as Chinese",
        ),
        (CHINESE.encode("utf-16"), "it may be UTF-16 or a workbook"),
        (b"a,b\n\xff\xff\n", r"byte 5 is 0xff"),
    ],
)
def test_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        find_encoding(path, "t.csv")


def test_damaged_utf8_is_not_taken_for_gb18030(tmp_path: Path):
    """One byte lost or changed in Chinese UTF-8, 400 times: never read as another encoding."""
    generator, whole, path = random.Random(5), (CHINESE * 20).encode(), tmp_path / "t.csv"
    for _ in range(400):
        place = generator.randrange(len(whole))
        while whole[place] < 0x80:
            place = generator.randrange(len(whole))
        path.write_bytes(
            whole[:place] + generator.choice([b"", bytes([generator.randrange(1, 256)])]) + whole[place + 1 :]
        )
        with suppress(SourceError):
            assert (
                find_encoding(path, "t.csv") == "utf-8"
            )  # the changed byte may make another character of UTF-8


def test_a_gb18030_export_is_read_without_being_told(exports, take):
    (exports / "gl.csv").write_bytes("编号,日期,金额,部门\n1,2026-10-03,5.00,东区售后\n".encode("gb18030"))
    assert take(LEDGER).rows("ledger", "cost_center") == [("东区售后",)]


def test_a_canonical_table_in_gb18030_says_the_same_as_in_utf8(tmp_path: Path):
    hashes, said = set(), []
    for encoding in ("utf-8", "gb18030"):
        folder = tmp_path / encoding
        folder.mkdir()
        (folder / "tickets.csv").write_bytes(
            "ticket_id,ticket_type,opened_at,team\nT1,repair,2026-10-01 08:00,东区售后\nT2,repair,2026-10-02 08:00,\n".encode(
                encoding
            )
        )
        tables = load_tables(
            folder, tmp_path / f"store-{encoding}", reporting_currency="CNY", time_zone="Asia/Shanghai"
        )
        hashes.add(tables["tickets"].content_hash)
        said.append([check.message_en for check in tables.checks if check.reason_code == "encoding"])
    assert len(hashes) == 1
    assert said == [[], ["tickets.csv: not UTF-8; read as GB18030, in which it is plausible Chinese text."]]


def test_a_file_cut_in_the_middle_is_refused(exports, take):
    whole = "编号,日期,金额,部门\n1,2026-10-03,5.00,东区售后\n2,2026-10-03,5.00,西区售后\n".encode()
    for keep, message in (
        (-2, "ends in the middle of a character"),
        (-21, "ends in the middle of row 2|ends in the middle of a character"),
    ):
        (exports / "gl.csv").write_bytes(whole[:keep])
        with pytest.raises(SourceError, match=message):
            take(LEDGER | {"encoding": "utf-8"})
    (exports / "gl.csv").write_text(
        '编号,日期,金额,部门\n1,2026-10-03,5.00,东区\n2,2026-10-03,"5.0', encoding="utf-8"
    )
    with pytest.raises(SourceError, match="ends inside quotes; the file was cut"):
        take(LEDGER)
    (exports / "gl.csv").write_text(
        "编号,日期,金额,部门\n1,2026-10-03,5.00,东区\n2,2026-10", encoding="utf-8"
    )
    with pytest.raises(SourceError, match=r"ends in the middle of row 2 \('2,2026-10'\); the file was cut"):
        take(LEDGER)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(exports, take, separator: str):
    (exports / "gl.csv").write_text(
        f'"编号"{separator}日期{separator}金额{separator}"部门"\n1{separator}2026-10-03{separator}5.00{separator}"a,b;c|d"\n',
        encoding="utf-8",
    )
    assert take(LEDGER).rows("ledger", "cost_center") == [("a,b;c|d",)]


def test_a_column_the_vendor_renamed_is_named_with_a_suggestion(exports, take):
    (exports / "gl.csv").write_text("编号,日期,金额合计,部门\n1,2026-10-03,5.00,东区\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"gl\.csv: column '金额' is not there; the vendor may have renamed it\. .*The file has: 编号, 日期, 金额合计, 部门",
    ):
        take(LEDGER)
    (exports / "gl.csv").write_text("No.,Posting Date,Amount (CNY)\n1,2026-10-03,5.00\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"column 'Posting date' is not there; .*Did you mean 'Posting Date'"
    ):
        take(
            {
                "table": "ledger",
                "file": "gl.csv",
                "columns": {"posting_id": "No.", "posted_on": "Posting date", "amount": "Amount (CNY)"},
            }
        )


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Kundennr.;Gerät;Ort\n1;kühlt nicht;Köln\n", "cp1252"),
        ("Client;Problème;Ville\n1;fenêtre cassée;Orléans\n", "cp1252"),
        ("Klient;Usługa;Miasto\n1;zgłoszenie;Łódź\n", "cp1250"),
        ("Zákazník;Město\n1;Plzeň\n2;Žďár\n", "cp1250"),
        ("Клиент;Услуга\n1;ремонт холодильника\n", "cp1251"),
        ("Müşteri;Şehir\n1;İstanbul\n2;Muğla\n", "cp1254"),
        ("Πελάτης;Πόλη\n1;Αθήνα\n", "cp1253"),
        ("Gerät;kühlt;Köln;Übergröße\n", "cp850"),
        ("zgłoszenie;Łódź;usługa\n", "cp852"),
        ("Клиент;ремонт\n", "cp866"),
        ("Client;Problème;Orléans;fenêtre\n", "mac_roman"),
        ("Betrag €;§ 5\n", "cp1252"),
        ("Kundennr.;Gerät\n", "utf-16"),
    ],
)
def test_a_proposal_says_the_encoding_of_one_byte_in_which_a_file_most_likely_is(tmp_path, text, encoding):
    path = tmp_path / "export.csv"
    path.write_bytes((text * 20).encode(encoding))
    assert likely_encoding(path) == encoding
    with pytest.raises(SourceError):  # and no file is read by it unless a map states it
        find_encoding(path, "export.csv")


def test_bytes_of_no_language_have_no_likely_encoding(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(bytes(range(128, 256)) * 20)
    assert likely_encoding(path) == ""
