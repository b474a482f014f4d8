"""Public holidays and make-up working days of mainland China, and the first day of the lunar year.

Facts from the yearly notices of the General Office of the State Council on holiday arrangements (for 2026: 4 November 2025);
2020 and 2021 are left out because the sample's service desk starts later. Only days that depart from Monday to Friday count.
"""

from __future__ import annotations

import datetime as dt

# (first day off, last day off, name, make-up working days)
HOLIDAYS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("2022-01-01", "2022-01-03", "New Year 元旦", ()),
    ("2022-01-31", "2022-02-06", "Spring Festival 春节", ("2022-01-29", "2022-01-30")),
    ("2022-04-03", "2022-04-05", "Qingming 清明节", ("2022-04-02",)),
    ("2022-04-30", "2022-05-04", "Labour Day 劳动节", ("2022-04-24", "2022-05-07")),
    ("2022-06-03", "2022-06-05", "Dragon Boat 端午节", ()),
    ("2022-09-10", "2022-09-12", "Mid-Autumn 中秋节", ()),
    ("2022-10-01", "2022-10-07", "National Day 国庆节", ("2022-10-08", "2022-10-09")),
    ("2022-12-31", "2023-01-02", "New Year 元旦", ()),
    ("2023-01-21", "2023-01-27", "Spring Festival 春节", ("2023-01-28", "2023-01-29")),
    ("2023-04-05", "2023-04-05", "Qingming 清明节", ()),
    ("2023-04-29", "2023-05-03", "Labour Day 劳动节", ("2023-04-23", "2023-05-06")),
    ("2023-06-22", "2023-06-24", "Dragon Boat 端午节", ("2023-06-25",)),
    ("2023-09-29", "2023-10-06", "Mid-Autumn and National Day 中秋节、国庆节", ("2023-10-07", "2023-10-08")),
    ("2023-12-30", "2024-01-01", "New Year 元旦", ()),
    ("2024-02-10", "2024-02-17", "Spring Festival 春节", ("2024-02-04", "2024-02-18")),
    ("2024-04-04", "2024-04-06", "Qingming 清明节", ("2024-04-07",)),
    ("2024-05-01", "2024-05-05", "Labour Day 劳动节", ("2024-04-28", "2024-05-11")),
    ("2024-06-08", "2024-06-10", "Dragon Boat 端午节", ()),
    ("2024-09-15", "2024-09-17", "Mid-Autumn 中秋节", ("2024-09-14",)),
    ("2024-10-01", "2024-10-07", "National Day 国庆节", ("2024-09-29", "2024-10-12")),
    ("2025-01-01", "2025-01-01", "New Year 元旦", ()),
    ("2025-01-28", "2025-02-04", "Spring Festival 春节", ("2025-01-26", "2025-02-08")),
    ("2025-04-04", "2025-04-06", "Qingming 清明节", ()),
    ("2025-05-01", "2025-05-05", "Labour Day 劳动节", ("2025-04-27",)),
    ("2025-05-31", "2025-06-02", "Dragon Boat 端午节", ()),
    ("2025-10-01", "2025-10-08", "National Day and Mid-Autumn 国庆节、中秋节", ("2025-09-28", "2025-10-11")),
    ("2026-01-01", "2026-01-03", "New Year 元旦", ("2026-01-04",)),
    ("2026-02-15", "2026-02-23", "Spring Festival 春节", ("2026-02-14", "2026-02-28")),
    ("2026-04-04", "2026-04-06", "Qingming 清明节", ()),
    ("2026-05-01", "2026-05-05", "Labour Day 劳动节", ("2026-05-09",)),
    ("2026-06-19", "2026-06-21", "Dragon Boat 端午节", ()),
    ("2026-09-25", "2026-09-27", "Mid-Autumn 中秋节", ()),
    ("2026-10-01", "2026-10-07", "National Day 国庆节", ("2026-09-20", "2026-10-10")),
)

LUNAR_NEW_YEAR: tuple[str, ...] = (
    "2020-01-25",
    "2021-02-12",
    "2022-02-01",
    "2023-01-22",
    "2024-02-10",
    "2025-01-29",
    "2026-02-17",
    "2027-02-06",
)


def departures() -> list[tuple[dt.date, bool, str]]:
    """(day, working, name) for every day that departs from the rule "Monday to Friday are worked"."""
    days = []
    for first, last, name, make_up in HOLIDAYS:
        day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        while day <= end:
            if day.weekday() < 5:
                days.append((day, False, name))
            day += dt.timedelta(days=1)
        days.extend(
            (dt.date.fromisoformat(extra), True, f"Make-up day 调休上班: {name}") for extra in make_up
        )
    return sorted(days)


def working_days(first: dt.date, end: dt.date) -> int:
    """Days worked in the half-open period, holidays and make-up days counted."""
    changes = {day: working for day, working, _ in departures()}
    span = (end - first).days
    return sum(
        changes.get(first + dt.timedelta(days=i), (first + dt.timedelta(days=i)).weekday() < 5)
        for i in range(span)
    )
