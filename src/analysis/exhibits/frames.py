"""Blocks and facts as frames, for whoever goes on computing with what the page shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError
from analysis.exhibits.listing import limits_of, value_shown
from analysis.locale import Language

if TYPE_CHECKING:
    import pandas as pd

FACT_COLUMNS = (
    "id",
    "metric",
    "label",
    "period",
    "dimensions",
    "value",
    "unit",
    "low",
    "high",
    "n",
    "formula",
)


def block_frame(record: Mapping[str, Any], language: Language) -> pd.DataFrame:
    """The record of a block as a frame; see :meth:`analysis.exhibits.record.Block.frame`."""
    import pandas as pd

    match record["kind"]:
        case "table":
            return _listing(record, record["facts"], language)
        case "figure":
            return _listing(record["data"], record["facts"], language)
        case "tiles":
            return _tiles(record, language)
        case "facts":
            return facts_frame(record["facts"], {})
        case "findings":
            entries = [
                {name: finding[name] for name in ("severity", "id", "section")}
                | {"statement": finding["statement"][language], "evidence": finding["evidence"]}
                for finding in record["findings"]
            ]
            return pd.DataFrame(entries, columns=["severity", "id", "section", "statement", "evidence"])
        case "checks":
            entries = [
                {
                    "outcome": check["outcome"],
                    "id": check["id"],
                    "sentence": _words(check["sentence"], language),
                }
                for check in record["checks"]
            ]
            return pd.DataFrame(entries, columns=["outcome", "id", "sentence"])
    raise ParameterError(
        f"block {record['id']}: a {record['kind']} holds no rows; table, figure, tiles, findings, checks and facts do."
    )


def facts_frame(facts: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> pd.DataFrame:
    """Facts (as records) one per row.

    Parameters
    ----------
    facts : records as in ``facts.json``
    labels : name of a metric by its id; a metric that is not there is named by its id

    Returns
    -------
    DataFrame with the columns of ``FACT_COLUMNS``
        ``dimensions`` as text (``region=South, tier=gold``); ``low`` and ``high`` empty where a fact has no interval.
    """
    import pandas as pd

    rows = [
        {
            **{name: fact[name] for name in ("id", "metric", "period", "value", "unit", "n", "formula")},
            "label": labels.get(fact["metric"], fact["metric"]),
            "dimensions": ", ".join(f"{name}={value}" for name, value in fact["dimensions"].items()),
            "low": (fact["interval"] or {}).get("low"),
            "high": (fact["interval"] or {}).get("high"),
        }
        for fact in facts
    ]
    frame = pd.DataFrame(rows, columns=list(FACT_COLUMNS))
    numbers = {name: pd.to_numeric(frame[name]) for name in ("value", "low", "high")}
    return frame.assign(**numbers, n=frame["n"].astype("Int64"))


def _listing(
    listing: Mapping[str, Any], facts: Sequence[Mapping[str, Any]], language: Language
) -> pd.DataFrame:
    import pandas as pd

    known = {fact["id"]: fact for fact in facts}
    columns: dict[str, list[Any]] = {"row": [row["role"] for row in listing["rows"]]}
    units: dict[str, str] = {}
    for index, column in enumerate(listing["columns"]):
        key, cells = column["key"], [row["cells"][index] for row in listing["rows"]]
        if column["type"] == "text":
            columns[key] = [cell["text"][language] for cell in cells]
            continue
        limits = limits_of(listing, index)
        if limits != "alone":
            shown = [value_shown(known[cell["fact"]], cell) if cell["fact"] else (None, "") for cell in cells]
            columns[key] = [None if value == "" else value for value, _ in shown]
            stated = {unit for _, unit in shown if unit}
            if len(stated) == 1:
                units[key] = stated.pop()
        if limits != "none":
            intervals = [(known.get(cell["fact"]) or {}).get("interval") or {} for cell in cells]
            columns[f"{key}_low"] = [interval.get("low") for interval in intervals]
            columns[f"{key}_high"] = [interval.get("high") for interval in intervals]
    frame = pd.DataFrame(columns)
    numeric = [
        name
        for name in frame.columns
        if name != "row" and not isinstance(next(iter(frame[name].dropna()), ""), str)
    ]
    frame = frame.assign(**{name: pd.to_numeric(frame[name]) for name in numeric})
    frame.attrs["units"] = units
    return frame


def _tiles(record: Mapping[str, Any], language: Language) -> pd.DataFrame:
    import pandas as pd

    known = {fact["id"]: fact for fact in record["facts"]}
    tiles = [(tile, known[tile["fact"]]) for tile in record["tiles"]]
    facts = facts_frame([fact for _, fact in tiles], {})
    return pd.DataFrame(
        {
            "label": [tile["label"][language] for tile, _ in tiles],
            "shown": [_words(tile["value"], language) for tile, _ in tiles],
            "status": [tile["status"] for tile, _ in tiles],
            **{name: facts[name] for name in ("value", "unit", "low", "high", "n", "id")},
        }
    )


def _words(sentence: Mapping[str, Any], language: Language) -> str:
    return "".join(segment["t"] for segment in sentence[language])
