"""Invented names of people and companies, and what customers say, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analysis.sample.columns import join, words
from analysis.sample.streams import Flags, Floats, Ints, Streams, pick


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SURNAMES_ZH = _listed(
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 罗 高 梁 郑 谢 宋 唐 许 韩 冯 邓 曹 彭 曾 肖 田 董 潘 袁 蔡 蒋 余 欧阳 司马"
)
GIVEN_ZH = _listed(
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 志强 秀英 建华 文静 海燕 国庆 晓东 雪梅 思远 雨桐 子涵 浩然 欣怡 梓轩 嘉懿 "
    "诗琪 俊熙 一诺 沐宸 若曦 昊天 婉清 立群 春生 玥 晟 堃 喆 翀 婧"
)
GIVEN_EN = _listed(
    "Alice Ben Carla Daniel Emma Frank Grace Henry Irene Jack Kate Leo Mia Noah Olivia Paul Quinn Rosa Sam Tina Umar Vera Will Yvonne Zoe "
    "André Chloë José Renée"
)
FAMILY_EN = _listed(
    "Adams Baker Clarke Dawson Evans Foster Graham Hughes Ingram Jensen Keller Lawson Morgan Nolan O'Brien Palmer Quigley Roberts Shaw Turner "
    "Underwood Vaughan Walsh Yates Müller García"
)
PLACES_ZH = _listed(
    "北京 天津 济南 沈阳 上海 苏州 杭州 宁波 广州 深圳 佛山 厦门 成都 重庆 西安 昆明 武汉 长沙 郑州 合肥"
)
STEMS_ZH = _listed(
    "鸿运 悦来 万家 青禾 锦程 盛泰 聚鲜 百味 云栖 海天 金穗 明德 同兴 恒丰 瑞和 澜庭 嘉禾 星辰 远大 御品"
)
TRADES_ZH = _listed("酒店管理 餐饮 商贸 超市 冷链物流 医疗器械 物业服务 食品 置业 连锁便利")
STEMS_EN = _listed(
    "Bluewater Harbour Evergreen Summit Golden Gate Oakline Silk Road Pearl River Northstar Redwood Lotus Crescent Bright Orchid Union"
)
TRADES_EN = (
    "Hotels Ltd",
    "Foods Co.",
    "Retail Group",
    "Cold Storage Ltd",
    "Clinics",
    "Property Services",
    "Kitchens & Co.",
    "Supermarkets",
)

ENGLISH_SHARE = 0.12


def customer_names(streams: Streams, business: Flags) -> tuple[pa.Array, Flags]:
    """A name a customer, and whether it is English: companies for business customers, people otherwise."""
    size = business.size
    english = streams.uniform("names/english", size) < ENGLISH_SHARE
    marks = streams.uniform("names/parts", (size, 3))
    people_zh = join(_drawn(SURNAMES_ZH, marks[:, 0]), _drawn(GIVEN_ZH, marks[:, 1]))
    people_en = join(_drawn(GIVEN_EN, marks[:, 0]), " ", _drawn(FAMILY_EN, marks[:, 1]))
    firms_zh = join(
        _drawn(PLACES_ZH, marks[:, 0]),
        _drawn(STEMS_ZH, marks[:, 1]),
        _drawn(TRADES_ZH, marks[:, 2]),
        "有限公司",
    )
    firms_en = join(_drawn(STEMS_EN, marks[:, 0]), " ", _drawn(TRADES_EN, marks[:, 2]))
    kind = np.where(business, 2, 0) + np.where(english, 1, 0)
    return choose([people_zh, people_en, firms_zh, firms_en], kind), english


def choose(candidates: Sequence[pa.Array], kind: Ints) -> pa.Array:
    """Row by row the value of the candidate column that ``kind`` names."""
    size = kind.size
    return pa.concat_arrays(list(candidates)).take(pa.array(kind * size + np.arange(size)))


def _drawn(vocabulary: Sequence[str], marks: np.ndarray) -> pa.Array:
    return words(vocabulary, pick(marks, (1.0,) * len(vocabulary)))


# What customers say, by component at fault (last row: no fault found) and language. The words of the bad batch come from the control board's row.
SYMPTOMS_ZH: tuple[tuple[str, ...], ...] = (
    ("压缩机启动后嗡嗡响，不制冷", "压缩机频繁启停，温度降不下来", "用了几年后压缩机噪音越来越大"),
    ("面板黑屏，没有反应", "主控板报错F20，重启也没用", "显示屏乱码，自动断电"),
    ("风机不转，有焦味", "外机风扇异响，像金属摩擦", "风量越来越小"),
    ("阀门卡住，压力不稳", "电磁阀不断咔哒响", "换季后一直不供水"),
    ("温度显示不准，差了五六度", "传感器报警，误报高温", "设定温度和实际不一致"),
    ("门封条老化，关不严", "密封条漏气，结霜严重", "柜门漏水，地上都是水"),
    ("换热器漏氟，效果差", "盘管结冰，反复化霜", "冷凝器堵塞，高压保护"),
    ("偶尔不工作，师傅来了又正常", "觉得耗电高，请检查", "声音有点大，不放心"),
)
SYMPTOMS_EN: tuple[tuple[str, ...], ...] = (
    (
        "compressor hums but does not cool",
        "compressor keeps cycling and never reaches temperature",
        "compressor noise has grown over the years",
    ),
    (
        "panel is dead, no response",
        "control board shows error F20 even after a restart",
        "display garbled, unit shuts down by itself",
    ),
    (
        "fan does not turn and smells burnt",
        "outdoor fan makes a grinding noise",
        "airflow gets weaker every week",
    ),
    (
        "valve sticks and pressure is unstable",
        "solenoid valve clicks all the time",
        "no water after the season change",
    ),
    (
        "temperature reading is five degrees off",
        "sensor raises false high temperature alarms",
        "set and actual temperature do not match",
    ),
    (
        "door seal is worn and does not close",
        "seal leaks, heavy frost inside",
        "water leaks from the door onto the floor",
    ),
    (
        "heat exchanger leaks refrigerant",
        "coil ices up again and again",
        "condenser blocked, high pressure trip",
    ),
    (
        "stops now and then, fine when the technician came",
        "power use seems high, please check",
        "a bit loud, please have a look",
    ),
)
OPENINGS_ZH = ("您好，", "请尽快安排：", "客户反馈：", "")
OPENINGS_EN = ("Hello, ", "Please send someone: ", "Customer says: ", "")
COMPLAINTS_ZH = ("修了还是坏，要求赔偿", "等了好几天没人上门", "客服态度差，推来推去", "上次的承诺没有兑现")
COMPLAINTS_EN = (
    "repaired but broken again, I want compensation",
    "nobody came for days",
    "passed from one desk to the next",
    "your last promise was not kept",
)
OTHERS_ZH = ("预约上门时间", "咨询保修政策", "如何更换滤网", "需要发票", "申请安装", "年度保养")
OTHERS_EN = (
    "please book a visit",
    "question about the warranty",
    "how do I change the filter",
    "I need an invoice",
    "installation please",
    "yearly service",
)


COMPLAINING, OTHER_WORDS = -1, -2
NO_SYMPTOM = len(SYMPTOMS_ZH) - 1


def ticket_texts(which: Floats, greeting: Floats, symptom: Ints, english: Flags) -> pa.Array:
    """The customer's words. ``symptom``: row of the symptom lists, or one of the two constants above."""
    symptoms = len(SYMPTOMS_ZH) * 3
    flat_zh = [text for row in SYMPTOMS_ZH for text in row] + list(COMPLAINTS_ZH) + list(OTHERS_ZH)
    flat_en = [text for row in SYMPTOMS_EN for text in row] + list(COMPLAINTS_EN) + list(OTHERS_EN)
    kinds = [symptom >= 0, symptom == COMPLAINING]
    start = np.select(kinds, [symptom * 3, symptoms], symptoms + len(COMPLAINTS_ZH))
    length = np.select(kinds, [3, len(COMPLAINTS_ZH)], len(OTHERS_ZH))
    row = start + np.floor(which * length).astype(np.int64)
    opening = pick(greeting, (1.0, 1.0, 1.0, 3.0))
    chinese = join(words(OPENINGS_ZH, opening), words(flat_zh, row))
    foreign = join(words(OPENINGS_EN, opening), words(flat_en, row))
    return choose([chinese, foreign], english.astype(np.int64))
