"""Rows of counting processes: from who was watched, what changed and what happened to spells between which nothing changes.

A covariate that changes with time makes several rows of one subject, each with the value that held in it; put together by hand, a value slips one event
too late (what follows from the event explains it) or one spell is lost. The rule is R's ``survival::tmerge``: a row is (start, stop], an event ends the row
it falls in, and a change at a time holds after it.

Our own: the libraries of the environment take such rows and none makes them.

Sources: Andersen and Gill (1982), *Annals of Statistics* 10, 1100-1120; Therneau and Grambsch (2000), *Modeling Survival Data*, section 3.7.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import FitError
from analysis.stats.arguments import WrongArgument, in_words
from analysis.stats.survival import settled_times

_OWN = ("subject", "start", "stop", "event", "events_before")


@in_words()
def start_stop_rows(
    watched: pd.DataFrame, changes: pd.DataFrame | None = None, events: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Rows (start, stop] of constant covariates, from when each subject was watched, what changed, and what happened.

    Parameters
    ----------
    watched : (subjects, columns) DataFrame
        `subject` (one row each), `start` (when observation began: above zero for delayed entry) and `stop` (when it ended), numbers in one unit; further
        columns are covariates at the start, or for good where they never change.
    changes : (changes, columns) DataFrame, optional
        `subject`, `time`, and a column per covariate with its value from then on; a missing value leaves that covariate as it was. Changes up to the start
        set the value at the start, those at or after the end change nothing.
    events : (events, columns) DataFrame, optional
        `subject`, `time`: after the start and at the latest when observation ended. Several per subject are several events; observation goes on after
        each unless `stop` says otherwise. A further column `cause` is handed on.

    Returns
    -------
    DataFrame, one row per subject and spell
        `subject`, `start`, `stop`, `event` (at `stop`), `events_before` (how many the subject has had: stratum of a conditional model), the covariates, and
        `cause` where the events have one. For `cox`, `kaplan_meier` and the others: ``durations=stop``, ``entry=start``, ``clusters=subject``.

    Raises
    ------
    ParameterError
        For tables without their columns, subjects named twice or not watched, and times that are no numbers.
    FitError
        Where observation ends before it begins, an event lies outside of it, or one subject has two events or two values of a covariate at one time.

    Notes
    -----
    A change at the time of an event holds after the event: what the event sees is what held just before it. A covariate without a value yet is missing.

    Source
    ------
    Andersen and Gill (1982), *Annals of Statistics* 10, 1100-1120; rule for ties of Therneau, Crowson and Atkinson (2024), "Using time dependent covariates
    and time dependent coefficients in the Cox model".

    Examples
    --------
    Creatinine of a patient measured at 0, 90 and 120 days, who died on day 185 (the vignette of R's survival).

    >>> import pandas as pd
    >>> from analysis import stats
    >>> rows = stats.start_stop_rows(
    ...     pd.DataFrame({"subject": [5], "start": [0], "stop": [185]}),
    ...     pd.DataFrame({"subject": [5, 5, 5], "time": [0, 90, 120], "creatinine": [0.9, 1.5, 1.2]}),
    ...     pd.DataFrame({"subject": [5], "time": [185]}),
    ... )
    >>> rows[["start", "stop", "event", "creatinine"]].values.tolist()
    [[0.0, 90.0, False, 0.9], [90.0, 120.0, False, 1.5], [120.0, 185.0, True, 1.2]]
    """
    seen = _table(watched, "watched", ("subject", "start", "stop"))
    if seen["subject"].duplicated().any():
        raise WrongArgument(
            f"start_stop_rows: watched names {_first(seen, seen['subject'].duplicated())} twice; give one row per subject."
        )
    told, happened = _of_watched(changes, "changes", seen), _of_watched(events, "events", seen)
    seen, told, happened = _settled(seen, told, happened)
    late = ~(seen["start"] < seen["stop"])
    if late.any():
        raise FitError(
            f"start_stop_rows: observation of {int(late.sum())} subjects ends at or before its start, e.g. {_first(seen, late)}."
        )
    _refuse_unseen(happened, seen)
    covariates = _covariates(seen, told)
    held = _held(told, seen, covariates)
    cuts = pd.concat(
        [
            seen[["subject"]].assign(stop=seen["stop"]),
            _inside(held, seen).rename(columns={"time": "stop"}),
            happened[["subject", "time"]].rename(columns={"time": "stop"}),
        ],
        ignore_index=True,
    ).drop_duplicates()
    order = pd.Series(np.arange(len(seen)), index=pd.Index(seen["subject"]))
    cuts = cuts.assign(order=order.loc[cuts["subject"]].to_numpy()).sort_values(
        ["order", "stop"], kind="stable", ignore_index=True
    )
    begins = seen["start"].to_numpy()[cuts["order"]]
    first = ~cuts["order"].duplicated().to_numpy()
    rows = cuts.assign(start=np.where(first, begins, cuts["stop"].shift(1).to_numpy()))
    ended = rows.merge(
        happened.rename(columns={"time": "stop"}).assign(event=True), on=["subject", "stop"], how="left"
    )
    happening = ended["event"].notna().to_numpy()
    before = pd.Series(happening.astype(int)).groupby(ended["order"].to_numpy()).cumsum().to_numpy()
    ended = ended.assign(event=happening, events_before=before - happening)
    for name in covariates:
        ended[name] = _value_at(ended, held, name)
    kept = [*_OWN, *covariates, *(["cause"] if "cause" in happened else [])]
    return ended[kept]


def _table(frame: pd.DataFrame, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """The table, with numbers where there must be numbers."""
    missing = [column for column in columns if column not in frame]
    if missing:
        raise WrongArgument(f"start_stop_rows: {name} lacks the columns {', '.join(missing)}.")
    if frame.empty and name == "watched":
        raise WrongArgument("start_stop_rows: watched is empty; there is nobody to follow.")
    found = frame.reset_index(drop=True)
    if found["subject"].isna().any():
        raise WrongArgument(f"start_stop_rows: {name} has rows without a subject; name it or leave them out.")
    for column in columns[1:]:
        if found[column].dtype.kind in "mM":
            raise WrongArgument(
                f"start_stop_rows: {name}, column '{column}', holds dates or time spans; give numbers of one unit, such as days."
            )
        try:
            numbers = found[column].astype(float)
        except (TypeError, ValueError) as problem:
            raise WrongArgument(
                f"start_stop_rows: {name}, column '{column}', holds what is no number ({problem})."
            ) from problem
        if not np.isfinite(numbers).all():
            raise WrongArgument(
                f"start_stop_rows: {name}, column '{column}', is missing or infinite in a row."
            )
        found[column] = numbers
    return found


def _of_watched(frame: pd.DataFrame | None, name: str, seen: pd.DataFrame) -> pd.DataFrame:
    """Changes or events, of subjects that were watched."""
    if frame is None:
        return pd.DataFrame({"subject": seen["subject"].iloc[:0], "time": np.empty(0)})
    found = _table(frame, name, ("subject", "time"))
    stranger = ~found["subject"].isin(seen["subject"])
    if stranger.any():
        raise WrongArgument(
            f"start_stop_rows: {name} are told of {_first(found, stranger)}, who is not in watched."
        )
    return found


def _settled(
    seen: pd.DataFrame, told: pd.DataFrame, happened: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Times that differ by rounding alone are one, in all three tables."""
    columns = (seen["start"], seen["stop"], told["time"], happened["time"])
    start, stop, changed, ended = settled_times(*(column.to_numpy(dtype=float) for column in columns))
    return seen.assign(start=start, stop=stop), told.assign(time=changed), happened.assign(time=ended)


def _refuse_unseen(happened: pd.DataFrame, seen: pd.DataFrame) -> None:
    span = happened[["subject"]].merge(seen[["subject", "start", "stop"]], on="subject", how="left")
    outside = ~((happened["time"] > span["start"]) & (happened["time"] <= span["stop"]))
    if outside.any():
        raise FitError(
            f"start_stop_rows: {int(outside.sum())} events lie outside of the time watched, e.g. of {_first(happened, outside)}; "
            "an event at the start cannot be told from one before it."
        )
    twice = happened.duplicated(["subject", "time"])
    if twice.any():
        raise FitError(
            f"start_stop_rows: {_first(happened, twice)} has two events at one time; a row ends in one. Merge them or set them apart."
        )


def _covariates(seen: pd.DataFrame, told: pd.DataFrame) -> list[str]:
    known = [name for name in seen if name not in ("subject", "start", "stop")]
    found = [*known, *(name for name in told if name not in ("subject", "time") and name not in known)]
    taken = [name for name in found if name in (*_OWN, "time", "cause")]
    if taken:
        raise WrongArgument(
            f"start_stop_rows: rename the covariate {taken[0]}; the result has a column of that name."
        )
    return [str(name) for name in found]


def _held(told: pd.DataFrame, seen: pd.DataFrame, covariates: list[str]) -> pd.DataFrame:
    """What held from when on: values at the start first, then the changes."""
    for name in covariates:
        if name not in told:
            continue
        of_name = told.loc[told[name].notna(), ["subject", "time"]]
        if of_name.duplicated().any():
            raise FitError(
                f"start_stop_rows: {_first(of_name, of_name.duplicated())} has two values of '{name}' at one time; keep the one that holds."
            )
    # what the table of the watched says stands unless a change up to the start says otherwise
    at_start = seen.drop(columns=["start", "stop"]).assign(time=-np.inf)
    return pd.concat([at_start, told], ignore_index=True)


def _inside(held: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    span = held[["subject", "time"]].merge(seen[["subject", "start", "stop"]], on="subject", how="left")
    return span.loc[(span["time"] > span["start"]) & (span["time"] < span["stop"]), ["subject", "time"]]


def _value_at(rows: pd.DataFrame, held: pd.DataFrame, name: str) -> pd.Series:
    """The last value told at or before the start of each row."""
    if name not in held:
        return pd.Series(np.nan, index=rows.index)
    told = held.loc[held[name].notna(), ["subject", "time", name]].sort_values("time", kind="stable")
    asked = rows[["subject", "start"]].reset_index().sort_values("start", kind="stable")
    found = pd.merge_asof(asked, told, left_on="start", right_on="time", by="subject")
    return found.set_index("index")[name].reindex(rows.index)


def _first(frame: pd.DataFrame, wrong: pd.Series) -> str:
    return f"subject {frame.loc[wrong, 'subject'].iloc[0]}"
