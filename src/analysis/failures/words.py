"""The customer's words: terms that go with a fault, and terms that are new. Evidence behind a cause, never a cause.

Latin words are taken whole; a run of Chinese characters is cut into sequences of two to eight characters, and a sequence that nearly always
stands inside a longer one is left out, so that no dictionary is needed. Numbers, addresses of mail and the web are masked before anything
is counted, and a term in fewer than ten tickets of five machines is never shown: names and house numbers do not get that far.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.failures.field import Field
from analysis.metrics.lineage import traced
from analysis.metrics.views.selection import study_view

if TYPE_CHECKING:
    import pandas as pd

LONGEST, SHORTEST = 8, 2
FEWEST_TICKETS, FEWEST_MACHINES = 10, 5
MOST_TEXTS = 50_000
NESTED = 0.9
PRIOR_WEIGHT = 500.0

_PERSONAL = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|\d[\d\-\s]{3,}\d|\d+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[a-z][a-z'’\-]+")
_COMMON_WORDS = """
    a an and are as at be but by can did do does for from had has have how i in is it its me my no not
    of on or our out so than that the their them then there they this to too up was we were what when
    which will with would you your hello hi dear please thanks thank customer says
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def masked(text: str) -> str:
    """The text in small letters, with numbers and addresses of mail and the web taken out."""
    return _PERSONAL.sub(" ", text.lower())


def terms(text: str) -> set[str]:
    """Words, pairs of words and sequences of Chinese characters in a text, each once."""
    found: set[str] = set()
    for clause in re.split(r"[，。！？；：、,.!?;:()（）\n]+", masked(text)):
        words: list[str] = []
        for run in _RUNS.findall(clause):
            if _CHINESE.fullmatch(run):
                found.update(
                    run[k : k + n] for n in range(SHORTEST, LONGEST + 1) for k in range(len(run) - n + 1)
                )
            elif run not in _COMMON and len(run) > 2:
                words.append(run)
        found.update(words)
        found.update(f"{one} {other}" for one, other in zip(words, words[1:], strict=False))
    return found


@study_view
def chosen(field: Field) -> str:
    """SELECT of the counted failures whose ticket holds words; a fixed sample where there are many."""
    return (
        f"SELECT f.ticket_id, f.serial_no, f.component, f.event_on, t.text FROM ({field.rows()}) f "
        "JOIN service_orders t ON t.ticket_id = f.ticket_id "
        f"WHERE t.text IS NOT NULL AND t.text <> '' ORDER BY hash(f.ticket_id) LIMIT {MOST_TEXTS}"
    )


@traced
def texts(field: Field) -> pd.DataFrame:
    """Equal texts once: ``text``, ``component``, ``recent`` (of the report month), ``tickets``, ``machines``; a fixed sample where there are many."""
    start = f"DATE '{field.last.start}'"
    return field.query(
        field.failures,
        f"chosen AS ({chosen(field)})",
        select=f"SELECT text, component, event_on >= {start} AS recent, count(*) AS tickets, count(DISTINCT serial_no) AS machines FROM chosen "
        "GROUP BY ALL ORDER BY ALL",
    )


@traced
def whole_texts(field: Field) -> frozenset[str]:
    """Short texts as they stand: what a customer wrote in full is never printed, pieces of it may be."""
    frame = field.inputs.engine.query(
        "SELECT DISTINCT lower(trim(text)) AS text FROM service_orders WHERE length(text) <= 40",
        needs=("tickets.text",),
    )
    return frozenset(str(text) for text in frame["text"] if text)


@traced
def counts_of(rows: pd.DataFrame, *, whole: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Terms that are the ``whole`` of a text are left out. Tickets with each term by component: ``component``, ``term``, ``inside``, ``all_inside``, ``outside``, ``all_outside``."""
    import pandas as pd

    known = {text: terms(text) for text in rows["text"].unique()}
    by_part: dict[str, Counter[str]] = {}
    machines: Counter[str] = Counter()
    for text, component, tickets, held in zip(
        rows["text"], rows["component"], rows["tickets"].tolist(), rows["machines"].tolist(), strict=True
    ):
        part = by_part.setdefault(str(component), Counter())
        for term in known[text]:
            part[term] += int(tickets)
            machines[term] += int(held)
    overall: Counter[str] = Counter()
    for part in by_part.values():
        overall.update(part)
    kept = maximal(
        {
            term: n
            for term, n in overall.items()
            if n >= FEWEST_TICKETS and machines[term] >= FEWEST_MACHINES and term not in whole
        }
    )
    sizes = rows.groupby("component", sort=True)["tickets"].sum()
    total = int(sizes.sum())
    table = [
        (name, term, part[term], int(sizes[name]), overall[term] - part[term], total - int(sizes[name]))
        for name, part in sorted(by_part.items())
        for term in sorted(kept)
        if part[term]
    ]
    return pd.DataFrame(
        table, columns=["component", "term", "inside", "all_inside", "outside", "all_outside"]
    )


def maximal(counts: dict[str, int]) -> set[str]:
    """Terms that do not nearly always stand inside one longer term: of 压缩, 缩机 and 压缩机 the last."""
    hidden: set[str] = set()
    for term, n in counts.items():
        for shorter in _inside(term):
            if n >= NESTED * counts.get(shorter, n + 1e9):
                hidden.add(shorter)
    return set(counts) - hidden


def _inside(term: str) -> Iterable[str]:
    if " " in term:
        return term.split(" ")
    if not _CHINESE.match(term):
        return ()
    return (term[k : k + n] for n in range(SHORTEST, len(term)) for k in range(len(term) - n + 1))


def log_odds(
    inside: Sequence[int], all_inside: int, outside: Sequence[int], all_outside: int
) -> tuple[np.ndarray, np.ndarray]:
    """Difference of log-odds of each term with an informative Dirichlet prior, and its standard error.

    The prior is the share of each term over both sides, worth ``PRIOR_WEIGHT`` tickets, so that a rare term does not lead by chance. Source:
    Monroe, Colaresi and Quinn (2008), Political Analysis 16, 372-403, equations 15, 20 and 22.
    """
    one, other = np.asarray(inside, dtype=float), np.asarray(outside, dtype=float)
    prior = PRIOR_WEIGHT * (one + other) / (all_inside + all_outside)
    here = np.log((one + prior) / np.maximum(all_inside + PRIOR_WEIGHT - one - prior, 1e-9))
    there = np.log((other + prior) / np.maximum(all_outside + PRIOR_WEIGHT - other - prior, 1e-9))
    return here - there, np.sqrt(1 / (one + prior) + 1 / (other + prior))


@traced
def distinctive(counts: pd.DataFrame, *, familywise: float, top: int = 3) -> pd.DataFrame:
    """The leading terms of each component: adds ``log_odds``, ``error``, ``distinct`` (beyond chance over every term looked at)."""
    import pandas as pd
    from scipy.stats import norm

    parts = []
    for _, part in counts.groupby("component", sort=True):
        value, error = log_odds(
            part["inside"].tolist(),
            int(part["all_inside"].iloc[0]),
            part["outside"].tolist(),
            int(part["all_outside"].iloc[0]),
        )
        parts.append(part.assign(log_odds=value, error=error))
    if not parts:
        return counts.assign(log_odds=[], error=[], distinct=[])
    frame = pd.concat(parts, ignore_index=True)
    limit = float(norm.isf(familywise / len(frame)))
    frame = frame.assign(distinct=frame["log_odds"] / frame["error"] > limit)
    frame = frame.sort_values(
        ["component", "distinct", "inside", "log_odds", "term"],
        ascending=[True, False, False, False, True],
        kind="stable",
    )
    chosen = [
        k
        for _, part in frame[frame["log_odds"] > 0].groupby("component", sort=True)
        for k in _apart(part["term"], top)
    ]
    return frame.loc[chosen]


@traced
def _apart(candidates: pd.Series, top: int) -> list[int]:
    """The first terms that share no two neighbouring characters (no word) with one before them, so that one phrase is not said three times."""
    chosen: list[int] = []
    taken: set[str] = set()
    for k, term in zip(candidates.index.tolist(), candidates.tolist(), strict=True):
        pieces = (
            set(term.split(" "))
            if not _CHINESE.match(term)
            else {term[i : i + 2] for i in range(len(term) - 1)}
        )
        if not pieces & taken:
            chosen.append(int(k))
            taken |= pieces
        if len(chosen) == top:
            break
    return chosen


@traced
def new_terms(rows: pd.DataFrame, *, whole: frozenset[str], most: int = 5) -> dict[str, int]:
    """Terms in at least ten tickets of the report month and in none before it, with their tickets; the most first."""
    now: Counter[str] = Counter()
    machines: Counter[str] = Counter()
    before: set[str] = set()
    for text, recent, tickets, held in zip(
        rows["text"], rows["recent"], rows["tickets"].tolist(), rows["machines"].tolist(), strict=True
    ):
        for term in terms(text):
            if recent:
                now[term] += int(tickets)
                machines[term] += int(held)
            else:
                before.add(term)
    fresh = {
        term: n
        for term, n in now.items()
        if n >= FEWEST_TICKETS
        and machines[term] >= FEWEST_MACHINES
        and term not in before
        and term not in whole
    }
    kept = sorted(maximal(fresh), key=lambda term: (-fresh[term], term))[:most]
    return {term: fresh[term] for term in kept}


MOST_COMPARED, ALIKE = 1000, 0.5


@traced
def typical(part: pd.DataFrame, wanted: set[str]) -> tuple[str, int]:
    """The complaint with the most of these telling terms, only as far as many customers say the same, and the tickets at least half alike."""
    part = part.sort_values(["tickets", "text"], ascending=[False, True], kind="stable").head(MOST_COMPARED)
    texts, tickets = part["text"].tolist(), part["tickets"].to_numpy(dtype=int)
    first = max(range(len(texts)), key=lambda k: (len(terms(texts[k]) & wanted), int(tickets[k]), -k))
    alike = [k for k, share in similar(texts[first], texts, top=len(texts)) if share >= ALIKE]
    known = common_terms(texts, part["tickets"].tolist(), part["machines"].tolist())
    return shared_words(texts[first], known), int(tickets[alike].sum())


def common_terms(texts: Sequence[str], tickets: Sequence[int], machines: Sequence[int]) -> set[str]:
    """Terms in at least ten tickets of five machines."""
    number: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for text, n, m in zip(texts, tickets, machines, strict=True):
        for term in terms(text):
            number[term] += n
            held[term] += m
    return {term for term, n in number.items() if n >= FEWEST_TICKETS and held[term] >= FEWEST_MACHINES}


def shared_words(text: str, known: set[str], *, longest: int = 60) -> str:
    """What is left of a complaint when all that few customers say is taken out: "…" stands for names, numbers, addresses and rare words."""
    kept: list[str] = []
    for run in re.findall(r"[\u4e00-\u9fff]+|[a-z][a-z'’\-]+|[^\s]", masked(text).replace("  ", " ¦ ")):
        if _CHINESE.fullmatch(run):
            marks = [False] * len(run)
            for size in range(min(LONGEST, len(run)), 2, -1):
                for k in range(len(run) - size + 1):
                    if run[k : k + size] in known:
                        marks[k : k + size] = [True] * size
            kept.append("".join(char if mark else "…" for char, mark in zip(run, marks, strict=True)))
        elif _RUNS.fullmatch(run):
            kept.append(f" {run} " if run in known or run in _COMMON else "…")
        elif run in "，。！？；：、,.!?;:":
            kept.append(run)
        else:
            kept.append("…")
    line = re.sub(r"\s*(?:…\s*)+", "…", "".join(kept))
    line = re.sub(r" +", " ", line).strip()
    return (
        ""
        if not re.search(r"[\u4e00-\u9fffa-z]{2}", line)
        else line[:longest] + ("…" if len(line) > longest else "")
    )


def similar(text: str, others: Sequence[str], *, top: int = 5) -> list[tuple[int, float]]:
    """Positions of the most similar texts and their share of terms in common (Jaccard), the closest first; texts without any are left out."""
    own = terms(text)
    shares = []
    for k, other in enumerate(others):
        these = terms(other)
        common = len(own & these)
        if common:
            shares.append((k, common / len(own | these)))
    return sorted(shares, key=lambda one: (-one[1], one[0]))[:top]
