"""Wording lives in the catalogues and in params; one English term has one Chinese term."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from babel.messages.pofile import read_po

from analysis.locale import catalogue, spaced
from analysis.metrics.likelihood import WORDS
from analysis.sample.company import NAMES_ZH, TEAMS

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "analysis"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# Where Chinese in code belongs: units and number words, the sample company's own data, words looked for in files of others.
BELONGS = ("formats.py", "locale/", "sample/", "sources/", "fonts/")
# Strings with Chinese that still stand in code, a count a file. The count may only fall; at zero the line goes.
STILL_THERE = {
    "exhibits/charts/labels.py": 1,
    "report/checks.py": 3,  # what a typed figure looks like
    "report/leaks.py": 8,  # what a secret or a telephone number looks like
    "report/pack_texts.py": 2,  # what a column of identifiers is called
    "report/prose_gate.py": 2,  # what a typed figure looks like
    "report/shown.py": 3,
    "report/trace_lookup.py": 2,  # what a reader types: 表 13, 图 4
}


def chinese_strings(path: Path) -> Iterator[str]:
    """String constants with Chinese in them, docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if CHINESE.search(node.value):
                yield node.value


def names() -> list[str]:
    return [
        name
        for path in sorted(SOURCE.rglob("*.py"))
        if not (name := path.relative_to(SOURCE).as_posix()).startswith(BELONGS)
    ]


@pytest.mark.parametrize("name", names())
def test_no_bilingual_constant_is_added_to_code(name: str):
    found = list(chinese_strings(SOURCE / name))
    allowed = STILL_THERE.get(name, 0)
    assert len(found) <= allowed, f"wording belongs to src/analysis/locale/zh/*.po: {found}"
    assert len(found) == allowed, f"{name}: {len(found)} are left; lower its count in STILL_THERE to that."


def test_the_list_of_what_is_left_names_files_that_are_there():
    assert set(STILL_THERE) <= set(names())


# ---------------------------------------------------------------- one English term, one Chinese term

# One English word for two things of params, told apart by the dimension or the entry they stand in.
HOMOGRAPHS: dict[str, set[str]] = {
    "Maintenance": {"保养", "维保"},  # a visit; a contract
    "Direct": {"直接", "直销"},  # a cost; a channel of sales
}


def catalogue_terms() -> Iterator[tuple[str, str, str]]:
    """Place, English and Chinese of every message without a context; a context says which homograph is meant."""
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and not message.context:
                    yield path.name, str(message.id), str(message.string)


def named_terms() -> Iterator[tuple[str, str, str]]:
    """Names of metrics, dimensions, values, accounts: every ``name`` and every label of a value in params. A template names another company's
    things (a plan called Team), so its words are not held against ours."""
    for path in sorted((ROOT / "params").rglob("*.yml")):
        if "templates" in path.relative_to(ROOT).parts:
            continue
        yield from _names(path.name, yaml.safe_load(path.read_text(encoding="utf-8")), "")


def _names(place: str, entry: Any, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(entry, dict):
        if set(entry) == {"en", "zh"} and key in ("name", "label"):
            yield place, str(entry["en"]), str(entry["zh"])
            return
        for name, part in entry.items():
            label = "label" if key == "values" and place == "labels.yml" else name
            yield from _names(place, part, label)
    elif isinstance(entry, list):
        for part in entry:
            yield from _names(place, part, key)


def test_one_english_term_has_one_chinese_term():
    wordings: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place, english, chinese in (*catalogue_terms(), *named_terms()):
        wordings[english][chinese].add(place)
    torn = {
        english: {chinese: sorted(places) for chinese, places in found.items()}
        for english, found in wordings.items()
        if len(found) > 1 and set(found) != HOMOGRAPHS.get(english)
    }
    assert not torn


class Refused(NamedTuple):
    """A second name of something that has one: ``word`` as a pattern, and what it is called instead."""

    word: str
    called: str
    of: str = ""  # refused only where the English speaks of this
    unless: str = ""  # right where the English speaks of this


GLOSSARY = (
    Refused("警报|报警", "警示"),
    Refused("预警", "警示", unless="early warning|score"),
    Refused("警戒线", "上限"),
    Refused("朴素(?!预测)", "简单差异 or 未经调整的比较"),
    Refused("未实现|部分实现|已实现(?!毛利)|已达成", "兑现", of="deliver"),
    Refused("标度误差", "标准化误差"),
    Refused("服务不良|不良服务", "服务不佳"),
    Refused("客户分层|(?:类型|渠道)(?:、|与)分层", "客户等级"),
    Refused("地区", "区域"),
    Refused("西电", "西部电气"),
    Refused("无该效应时的概率", "p 值"),
    Refused(
        "处理(?!得当|速度|工时)",
        "干预",
        of=r"\b(?:un)?treat(?:ed|ments?)\b",
        unless="truncation|repairs treated|treated in the same way",
    ),
    Refused("账龄", "存续时间"),
    Refused("(?<!团)队列", "同期群"),
    Refused("总流失", "毛流失率"),
    Refused("总收入留存", "毛收入留存率"),
    Refused("净客户减少", "净减少率"),
    Refused("移位", "平移 beta-几何"),
    Refused("掷硬币", "无区分能力"),
    Refused("自负盈亏", "收支相抵"),
    Refused("入不敷出", "负价值客户 or 价值低于获客成本"),
    Refused("人人均等", "完全平均"),
    Refused("应收尽收", "足额收费"),
    Refused("质保|(?<!质量保证)准备金", "产品质量保证准备 or 保修"),
    Refused("保内", "保修期内"),
    Refused("台账", "明细账"),
    Refused("售后成本明细账", "售后明细账"),
    Refused("签发", "发布"),
    Refused("过账", "分录"),
    Refused("付薪|已付工时", "计薪"),
    Refused("分摊键", "分摊基础"),
    Refused("投入价格", "要素单价"),
    Refused("(?<!正态)噪声", "随机波动"),
    Refused("偶然|超出随机(?!波动)", "随机波动"),
    Refused("随机龄", "随使用时间"),
    Refused("在役龄", "机龄"),
    Refused("近度", "最近购买间隔"),
    Refused("笔记本", "计算底稿"),
    Refused("求助", "服务请求"),
    Refused("买家|购买者", "购买客户"),
    Refused("故障码", "故障代码"),
    Refused("合同类型", "合同种类"),
    Refused("(?<!盈亏)平衡(?:业务量|点)", "盈亏平衡"),
    Refused("补偿", "赔偿"),
    Refused("备件", "配件", unless="Spare parts consumed|Spare parts returned|Freight of parts"),  # accounts
    Refused("读入", "读取"),
    Refused("被采用", "被接受", of="accepted"),
    Refused("绝不", "不予"),
    Refused("(?<!简)单均|单张成本", "单张工单成本"),
    Refused("节省率", "节约率"),
    Refused("累计函数", "平均累积函数"),
    Refused("最大似然", "极大似然"),
    Refused("计提比例", "计提率"),
    Refused("再修", "重复维修"),
    Refused("(?:典型|相似)投诉", "报修原文 or 用语相近的工单"),
    Refused("随机名次", "名次区间"),
    Refused("近似重复", "疑似重复"),
    Refused("(?:上年|去年)同期", "上年同月 or 此前十二个月"),
    Refused("功劳", "节约额 or 归因"),
    Refused("(?:超时|延迟)答复|答复迟|首响", "逾期答复 or 首次响应"),
    Refused("容量内|(?<!名单)联系客户", "联系名单"),
    Refused("切片", "分类"),
    Refused("在用(?:机器|设备)|在役设备|在保设备", "在役机器 or 在保机器"),
    Refused("观察窗口", "观察期"),
    Refused("购买型", "无合同购买客户"),
    Refused("近一年|过去一年", "近十二个月"),
    Refused("改进措施", "整改"),
    Refused("偏差", "离差", of="deviance"),
    Refused("常用净减少率", "净减少率"),
    Refused("掩盖", "未反映", unless="hid(?:e|es|ing|den)\\b"),
    # 前 of a time reads "the last": what is meant is the start of a contract or of a machine's life
    Refused(
        r"(?<![此之以目])前(?:十二| ?\d+ ?|\s?\{\w+\} ?)个月",
        "合同开始后首…个月 or 投用后首…个月",
        of=r"\bfirst (?:\w+|\{\w+\}) months\b",
    ),
    Refused("没有哪", "未见任何…"),  # what was not found is not said to be none
    Refused("不超过随机|无新情况", "未见…超过 or 未检出"),
    Refused("(?:波动|范围内)，(?:也|且)?(?:未)?超过(?:单组采用|采用|校正)界限", "估计值未超过"),
    Refused("在约(?!定)|在册合同客户|在执行合同客户|合同期内(?:的)?(?:企业)?客户", "合同客户"),
    Refused("设备", "机器", unless="equipment"),
    Refused("续存", "存续"),
    Refused("张订单", "笔订单"),
    Refused("待复核人|已复核", "复核人"),
    Refused("产能利用(?!率)", "计薪÷实际工时 or 产能利用率"),
    Refused("人工比例", "人工处理比例"),
    Refused("骤增", "激增"),
    Refused("外勤|现场团队", "现场服务团队"),
    Refused("未见故障", "未发现故障"),
    Refused("已赚取", "已实现毛利"),
    # an account has its own name, and an outlay is recovered (收回) by what it saves
    Refused("收回|返还|退回", "追回", of="supplier", unless="Recoveries of parts cost"),
    Refused("才答复", "逾期答复", of="complaint|request"),
    Refused("耗费", "成本"),
    Refused("未作显示", "未能显示"),
    Refused("(?<!修)正收入", "收入为正"),
    Refused("Q[1-4{]", "…年…季度"),
)


def every_pair() -> list[tuple[str, str, str]]:
    """Place, English and Chinese of all messages, whatever their context, and of every text of params in two languages."""
    found = []
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            found += [(path.name, str(one.id), str(one.string)) for one in read_po(file) if one.id]
    for path in sorted((ROOT / "params").rglob("*.yml")):
        texts = _pairs(yaml.safe_load(path.read_text(encoding="utf-8")))
        found += [(path.name, english, chinese) for english, chinese in texts]
    return found


def _pairs(entry: Any) -> Iterator[tuple[str, str]]:
    if isinstance(entry, dict) and set(entry) == {"en", "zh"}:
        yield str(entry["en"]), str(entry["zh"])
    elif isinstance(entry, dict | list):
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from _pairs(part)


def is_refused(term: Refused, english: str, chinese: str) -> bool:
    """Whether a text calls the thing by its second name."""
    spoken_of = not term.of or re.search(term.of, english, re.IGNORECASE)
    right = term.unless and re.search(term.unless, english, re.IGNORECASE)
    return bool(spoken_of and not right and re.search(term.word, chinese))


@pytest.mark.parametrize("term", GLOSSARY, ids=lambda term: term.word)
def test_a_thing_has_one_name(term: Refused):
    twice = [
        f"{place}: {english[:80]}"
        for place, english, chinese in every_pair()
        if is_refused(term, english, chinese)
    ]
    assert not twice, f"write {term.called}"


def test_a_second_name_would_be_found():
    assert is_refused(GLOSSARY[1], "an alert", "列为预警") and not is_refused(
        GLOSSARY[1], "early warning", "预警"
    )


@pytest.mark.parametrize(
    ("english", "chinese", "unless"),
    [(r"\bearly warning\b", "预警", ""), (r"\bFor review by\b", "复核人", "")],
)
def test_a_name_or_a_state_keeps_its_word(english: str, chinese: str, unless: str):
    """A reviewer is a role beside 编制人: it says neither that the review is done nor that it is awaited."""
    spoken = [
        (place, said, wording)
        for place, said, wording in every_pair()
        if re.search(english, said) and not (unless and re.search(unless, said))
    ]
    assert spoken
    assert not [(place, said) for place, said, wording in spoken if chinese not in wording]


# ---------------------------------------------------------------- words of likelihood, by one table

# A word of likelihood, in a text as a reader meets it; "may", "could" and 可能 in their place are hedges without a chance.
LIKELY = re.compile(
    r"\b(?:un)?like(?:ly|lier|liest)\b|\bin all likelihood\b|\b(?:im)?probabl[ey]\b|\bvirtually certain\b",
    re.IGNORECASE,
)
LIKELY_ZH = re.compile(
    r"几乎确定|很可能|更可能|最可能|或许|不大可能|很不可能|几乎不可能|大概|多半|也许|(?<!不)可能(?!性)"
)
HEDGE = re.compile(r"\b(?:may|might|could|im?possible|possibl[ey])\b", re.IGNORECASE)
# The table and its own limits: src/analysis/metrics/likelihood.py.
OF_THE_TABLE = {*WORDS, *(f"Limit of “{word}”" for word in WORDS)}
IN_THE_TABLE = (
    "Words for a chance: virtually certain above",  # the table itself
    "which a sentence says “",  # its limits, in assumptions and definitions
)
# A piece of a text that says such a word without the table, and why it may.
WITHOUT_A_WORD = {
    "less likely than one in a thousand": "the chance stands in the words",
    "how likely it is to leave": "asks for the chance",
    "likelier gone": "compares two chances, above one half against below",
    "as likely": "a ratio of two chances",
    "most likely {price}": "the peak of a stated range",
}
WITHOUT_A_WORD_ZH = {
    "更可能已离开": "compares two chances, above one half against below",
    "最可能为 {price}": "the peak of a stated range",
    "最小可能值": "the nearer end of an interval",
}


def worded(english: str, chinese: str) -> list[str]:
    """Words of likelihood in a text that are neither of the table nor listed; a chance that a text prints is no hedge."""
    if english in OF_THE_TABLE or any(said in english for said in IN_THE_TABLE):
        return []
    for said in WITHOUT_A_WORD:
        english = english.replace(said, " ")
    for said in WITHOUT_A_WORD_ZH:
        chinese = chinese.replace(said, " ")
    found = LIKELY.findall(english) + LIKELY_ZH.findall(chinese)
    if HEDGE.search(english):
        found = [word for word in found if word != "可能"]
        found += HEDGE.findall(english) if "{chance" in english else []
    return found


def test_a_word_of_likelihood_is_earned_by_a_chance():
    """Every word goes through the table of `metrics.likelihood`, as {likelihood}; what is listed says why."""
    said = [(place, english, found) for place, english, zh in every_pair() if (found := worded(english, zh))]
    assert not said, "say it by analysis.metrics.likelihood, or without the word"


def test_a_word_by_habit_would_be_found():
    assert worded("The year is likely to exceed its budget", "全年成本超过预算") == ["likely"]
    assert worded("The year exceeds its budget", "全年成本很可能超过预算") == ["很可能"]
    assert worded("The year may exceed it: {chance}", "全年成本可能超过预算：{chance}") == ["may"]
    assert worded("It may be noise", "可能为随机波动") == worded("Chance of a gain", "盈利可能性") == []


def test_what_is_listed_is_still_said():
    texts = every_pair()
    assert [said for said in WITHOUT_A_WORD if not any(said in english for _, english, _ in texts)] == []
    assert [said for said in WITHOUT_A_WORD_ZH if not any(said in zh for *_, zh in texts)] == []


def test_a_sentence_with_a_word_of_the_table_prints_its_chance():
    spoken = [english for _, english, _ in every_pair() if "{likelihood}" in english]
    assert spoken and all("{chance}" in english for english in spoken)


NAMED_IN_PROSE = ("region", "supplier", "product_line", "plant", "team")


def labels_of_data() -> dict[str, str]:
    """Values of the data that have a name of their own in Chinese."""
    labels = yaml.safe_load((ROOT / "params" / "labels.yml").read_text(encoding="utf-8"))
    return {
        value: label["zh"]
        for dimension in NAMED_IN_PROSE
        for value, label in labels[dimension]["values"].items()
        if label["zh"] != value
    }


def test_a_region_or_supplier_is_named_as_its_label_says():
    """A scenario for 华南 and a table of South would be two places to the reader."""
    labels = labels_of_data()
    torn = []
    for place, english, chinese in every_pair():
        if place in ("what_ifs.yml", "interventions.yml", "treatments.yml"):
            named = [value for value in labels if re.search(rf"\b{value}\b", english)]
            torn += [(english, value) for value in named if labels[value] not in chinese]
        torn += [(chinese, value) for value in labels if re.search(rf"\b{value}\b", chinese)]
    assert not torn


def test_the_labels_are_the_names_the_sample_company_goes_by_in_chinese():
    names = NAMES_ZH | {team.team: team.name_zh for team in TEAMS}
    assert {value: names[value] for value in labels_of_data()} == labels_of_data()


def test_a_number_typed_into_a_text_has_a_space_to_either_side():
    """As numbers have that are put in place of a placeholder (analysis.locale.spaced)."""
    close = [
        (place, chinese)
        for place, _, chinese in every_pair()
        if "".join(spaced([chinese], own=[True])) != chinese
    ]
    assert not close


def test_no_message_has_a_space_between_two_han_characters():
    wide = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
    assert not [text for text in catalogue("zh").values() if re.search(rf"{wide} +{wide}", text)]


def test_no_homograph_is_kept_that_is_none():
    found = defaultdict(set)
    for _, english, chinese in (*catalogue_terms(), *named_terms()):
        found[english].add(chinese)
    assert {english: found[english] for english in HOMOGRAPHS} == HOMOGRAPHS


def test_a_message_stands_once_with_its_context():
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    places[str(message.context or ""), str(message.id)].append(path.name)
    assert not {message: files for message, files in places.items() if len(files) > 1}


# ---------------------------------------------------------------- what a sentence claims

# "X because of Y" claims a cause. Only designs that are made to show one may say so, and names of things.
CAUSAL = re.compile(
    r"\b(?:because of|due to|caused by|causes (?:an?|the|it|this)\b|causes \{|leads to|drives|driven by|thanks to|results in)\b|导致|由于|引起|造成",
    re.IGNORECASE,
)
MAY_CLAIM = {
    "value_effects.po": "effects by doubly robust estimation with placebos; the section states what it assumes",
    "value.po": "a change split by what customers did, an identity",
}


def claims() -> list[tuple[str, str]]:
    found = []
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        if path.name in MAY_CLAIM:
            continue
        with path.open("rb") as file:
            for message in read_po(file):
                for text in (str(message.id or ""), str(message.string or "")):
                    if CAUSAL.search(text) and "{" in text:
                        found.append((path.name, text))
    return found


def test_no_sentence_with_a_figure_claims_a_cause_outside_designs_that_show_one():
    assert not claims()


def test_a_sentence_that_claims_a_cause_would_be_found():
    assert CAUSAL.search("Cost fell by {change} because of {region}.")
    assert CAUSAL.search("{region}导致成本下降 {change}。")


# ---------------------------------------------------------------- methods of findings


def methods() -> Iterator[tuple[str, str]]:
    """What findings say of their method, where it stands in code as it is."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or "inding" not in ast.unparse(node.func):
                continue
            for keyword in node.keywords:
                if keyword.arg == "method" and isinstance(keyword.value, ast.Constant):
                    yield path.relative_to(SOURCE).as_posix(), str(keyword.value.value)


def test_the_method_of_every_finding_has_its_chinese_wording():
    known = catalogue("zh")
    found = list(methods())
    assert len(found) > 20
    assert not [(place, text) for place, text in found if text and text not in known]


# ---------------------------------------------------------------- who is first

SUPERLATIVE = re.compile(
    r"\b(?:most|least|highest|lowest|best|worst|largest|smallest|biggest|greatest|strongest|weakest)\b",
    re.IGNORECASE,
)
# Sentences that rank over accounting totals: these are exact, there is no chance in who is first.
EXACT = ("costs.po", "quality.po")
# Sentences that rank without showing an interval, and why they may.
MAY_RANK = {
    "Dots with intervals of actual to expected failures": "says what is drawn, with its intervals",
    "{first} costs most: {fact} in twelve months": "an accounting total",
    "The largest part up for renewal": "an accounting total of contract terms",
    "Stacked bars of contract value up for renewal": "an accounting total of contract terms",
    "Curves of cumulative loss by reason": "says what is drawn; the title carries the interval",
    "{number} under contract are businesses": "an accounting total of contract terms",
    "Contract value held by the ten largest": "an accounting total of contract terms",
    "The first {shown}": "says which rows of a list are shown; each has its interval",
    "Whole cohorts only": "says which rows of a list are shown, by time and by number of customers",
    "Customers in a year against today": "a range of an assumption and its most likely value",
    "{scenario}: {input:lower} and {other:lower} decide most": "of inputs in one simulation, not of things in the world",
}


INTERVAL = re.compile(r":(?:interval|doubt)\}")


def rankings() -> Iterator[tuple[str, str]]:
    """Messages that name a first or last with a figure and show no interval."""
    for path in sorted((SOURCE / "locale" / "zh").glob("*.po")):
        if path.name in EXACT:
            continue
        with path.open("rb") as file:
            for message in read_po(file):
                text = str(message.id or "")
                plain = re.sub(r"\{[^}]*\}|at (?:most|least)", "", text)
                if SUPERLATIVE.search(plain) and "{" in text and not INTERVAL.search(text):
                    yield path.name, text


COUNTED_PLACES = re.compile(
    r"\{(?:months|number|smallest|needed|fewest|exposed|others|rows|folds|customers|error)[:}]|\{\w+:level\}"
)


def test_who_is_first_is_said_with_an_interval_or_for_a_reason():
    unsupported = {
        (name, text)
        for name, text in rankings()
        if not text.startswith(tuple(MAY_RANK)) and COUNTED_PLACES.sub("", text).count("{")
    }
    assert not unsupported


def test_every_reason_to_rank_is_still_needed():
    texts = [text for _, text in rankings()]
    assert not [start for start in MAY_RANK if not any(text.startswith(start) for text in texts)]


def prose() -> Iterator[tuple[str, str]]:
    """Paragraphs of the notebooks: they hold no figure of the month, so nothing in them may rank or claim a cause."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield path.name, "".join(cell["source"])


# What the notebooks ask or explain, and why the word is no ranking of the month's data.
PROSE_MAY = {"Which parts fail most and cost most?": "a question"}


def test_prose_ranks_nothing_and_claims_no_cause():
    """Typed prose stands in every month's report: a ranking or a cause in it would be true of one month at best."""
    found = []
    for name, text in prose():
        for line in re.split(r"\n+|(?<=[.?!])\s+", text):
            ranks = SUPERLATIVE.search(re.sub(r"at (?:most|least)", "", line)) or CAUSAL.search(line)
            if ranks and not line.strip("# ").startswith(tuple(PROSE_MAY)):
                found.append((name, line))
    assert not found


# ---------------------------------------------------------------- messages nobody says any more


def said_in_code() -> set[str]:
    """String constants of the package and of the notebooks' code."""
    sources = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                sources.append("".join(line for line in cell["source"] if not line.startswith("%")))
    return {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_message_of_the_catalogues_is_said_somewhere():
    """Part of a message is enough: some are put together from halves, each of them a constant."""
    said = said_in_code()
    halves = [text.strip().rstrip(".") for text in said if len(text.strip()) >= 14]
    files = [
        *SOURCE.rglob("*.yml"),
        *(ROOT / "params").rglob("*.yml"),
        *SOURCE.rglob("*.html"),
        *SOURCE.rglob("*.j2"),
    ]
    other = "\n".join(path.read_text(encoding="utf-8") for path in files)
    other += "\n".join(" ".join(text.split()) for _, text in prose())
    unsaid = [
        message
        for message in (
            key.rpartition("|")[2] if re.match(r"[a-z ]+\|", key) else key for key in catalogue("zh")
        )
        if not (
            message in said
            or message in other
            or any(half in message for half in halves)
            or any(message.rstrip(".") in half for half in halves)
        )
    ]
    assert not unsaid


# ---------------------------------------------------------------- what a definition says is counted


def meanings() -> Iterator[tuple[str, Any]]:
    """What each measure of the registry counts, in the words of a definition's numerator and denominator."""
    for path in sorted((ROOT / "params" / "metrics").glob("*.yml")):
        for name, measure in (yaml.safe_load(path.read_text(encoding="utf-8")).get("measures") or {}).items():
            yield f"{path.name}: {name}", measure.get("meaning")


def in_words(meaning: Any) -> bool:
    """Words in both languages: no placeholder of the code, no bare figure."""
    if not isinstance(meaning, dict) or set(meaning) != {"en", "zh"}:
        return False
    english, chinese = str(meaning["en"]), str(meaning["zh"])
    return english.casefold() not in {"none", "null", "one", ""} and bool(CHINESE.search(chinese))


def test_every_measure_says_in_words_what_it_counts():
    found = list(meanings())
    assert len(found) > 100
    assert not [place for place, meaning in found if not in_words(meaning)]


def test_a_measure_without_words_would_be_found():
    assert in_words({"en": "confirmed failures", "zh": "确认故障"})
    assert not any(map(in_words, (None, "None", {"en": "one", "zh": "1"}, {"en": "failures", "zh": "7"})))


# ---------------------------------------------------------------- money that is discounted

TIME_SAID = re.compile(r"horizon|within {months}|over {months}|within a year, discounted|these months")
# Where another place says it, and which.
NO_HORIZON = {
    "Value of today's customers, discounted": "a tile whose first line is the horizon",
    "Discounting": "a step between two sums that say theirs",
    "minus the service cost that can be traced to them, discounted": "prose on what value is",
    "grouped into distinct histories": "prose on how it is estimated",
}


def test_discounted_money_says_over_which_time():
    """A value without its horizon is no number: every text of the section that says "discounted" says over what."""
    said = [
        english
        for place, english, _ in every_pair()
        if place in ("value.po", "value_effects.po") and "discount" in english.lower()
    ]
    assert len(said) > 20
    bare = [
        text for text in said if not TIME_SAID.search(text) and not any(one in text for one in NO_HORIZON)
    ]
    assert bare == []
    assert [one for one in NO_HORIZON if not any(one in text for text in said)] == []


# ---------------------------------------------------------------- a number and its interval

# "81 fewer (95% interval −132 to −40)": a number without its sign beside limits with theirs
UNSIGNED = re.compile(r"\{(\w+):abs\}[^{}]*(?:\{\1:word[^{}]*\}[^{}]*)?\{\1:(?:interval|doubt)\}")


def test_a_number_stands_with_its_sign_where_its_interval_does():
    assert UNSIGNED.search("{events:abs} {events:word|more|fewer} than before ({events:interval})")
    said = [text for _, *both in every_pair() for text in both]
    assert [text for text in said if UNSIGNED.search(text)] == []
