"""Further tables that a file tells of: a desk's export names customers, scores and costs; a list of machines names models; a claim is a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from analysis.sources.drafting import Entry
from analysis.sources.entries import completed
from analysis.sources.looking import Look
from analysis.sources.matching import Export, Match, Matcher, refers_to

Held = tuple[Look, Export, Match]
#: Of a case that is a claim: what a claim says of it.
OF_A_CLAIM = ("customer_id", "serial_no", "product_id", "opened_at", "component", "fault_code", "region")
#: What each customer has one of, so that any row that names the customer may tell it.
OF_A_CUSTOMER = ("customer_name", "customer_type", "segment", "region")
#: Share of the customers for whom all rows must say the same.
SAID_ALIKE = 0.98
#: How sure a heading must be for that; and customers of another file, from which on two files name about as many.
SURELY_TOLD, AS_MANY = 0.95, 0.95
#: What a log of fields calls the state, and what its turns give.
STATE_FIELDS = frozenset(["status", "state", "状态", "工单状态", "zustand"])
TURNS = ("resolved_at", "closed_at", "reopened", "reopened_at")
COSTS = (
    "cost",
    "costs",
    "expense",
    "expenses",
    "spend",
    "spent",
    "kosten",
    "aufwand",
    "成本",
    "费用",
    "花费",
    "费",
)
MODEL_WORDS = frozenset(["model", "modell", "型号", "产品型号", "typ"])


def second_entries(
    held: Sequence[Held],
    entries: Sequence[Entry],
    matcher: Matcher,
    looks: Sequence[Look],
    exports: Sequence[Export],
) -> list[Entry]:
    """Entries for tables that have no file of their own."""
    there = {entry.table for entry in entries}
    found: list[Entry] = []
    for one in held:
        table = one[2].table
        if table == "tickets":
            found += _surveys(one, there, matcher, exports)
            found += _costs(one, there, matcher, exports)
            found += _history(one, there, matcher, exports)
        if table == "claims" and not one[2].source("ticket_id"):
            found += _cases(one, matcher, exports)
        if table == "units" and "products" in matcher.shapes and "products" not in there:
            found += _models(one, matcher, exports)
    if "customers" in matcher.shapes and "customers" not in there:
        found += _people(held, matcher, looks, exports) or _customers(held, matcher, exports)
    return found


def _entry(
    one: Held,
    table: str,
    columns: Mapping[str, str],
    matcher: Matcher,
    exports: Sequence[Export],
    *,
    first_of: Collection[str] = (),
    constants: Mapping[str, str] | None = None,
) -> Entry:
    look, export, _ = one
    entry = Entry(
        table=table,
        file=look.file,
        pattern=look.pattern,
        form=dict(look.form),
        remarks=dict(look.remarks),
        columns=dict(columns),
        constants=dict(constants or {}),
        first_of=list(first_of),
        clock_cost=1,  # said of the file at its first table
    )
    completed(entry, export, matcher, exports)
    return entry


def turns_of_logs(entries: Sequence[Entry], matcher: Matcher, exports: Sequence[Export]) -> None:
    """What a log of states tells of tickets that say it nowhere else: when they were resolved and closed, and how often they came back."""
    log = next((one for one in entries if one.table == "ticket_history" and "field" in one.columns), None)
    tickets = next((one for one in entries if one.table == "tickets" and one is not log), None)
    if log is None or tickets is None or tickets.file == log.file or tickets.last_of:
        return
    export = next(one for one in exports if one.file == log.file)
    named = [word for word in export.profiles[log.columns["field"]].words if word.lower() in STATE_FIELDS]
    gives = {name: name for name in TURNS if name not in tickets.canonical}
    if not named or not gives or "value" not in log.columns:
        return
    if not log.pattern:
        tickets.doubt(2, f"{', '.join(gives)} can be told from {log.file}: join them in a query of tickets")
        return
    states = _states(export, log, named, matcher)
    if not states["resolved"] and not states["closed"]:
        return
    event: dict[str, object] = {
        "file": log.pattern,
        "ticket": log.columns["ticket_id"],
        "at": log.columns["changed_at"],
    }
    if log.dates.get("changed_at"):
        event["date"] = log.dates["changed_at"]
    event |= {"only": {log.columns["field"]: named}, "status": log.columns["value"], **states, "gives": gives}
    tickets.events.append(event)
    tickets.doubt(
        1, f"turns of the tickets are read from {log.file}, its words by their usual meaning", beside="events"
    )


def _states(export: Export, log: Entry, named: Sequence[str], matcher: Matcher) -> dict[str, list[str]]:
    """The words of the log's new states under open, resolved and closed; a word that is not known is taken for open."""
    meanings = matcher.meanings("tickets", "status")
    fields, values = (export.profiles[log.columns[name]].cells for name in ("field", "value"))
    words = sorted(
        {str(value) for field, value in zip(fields, values, strict=True) if field in named and value}
    )
    states: dict[str, list[str]] = {"open": [], "resolved": [], "closed": []}
    for word in words:
        ours = meanings.get(word.strip().lower(), "open")
        states[
            ours if ours in ("resolved", "closed") else "closed" if ours == "cancelled" else "open"
        ].append(word)
    return states


def _surveys(one: Held, there: Collection[str], matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """A score on the ticket is an answer to a survey."""
    export, tickets = one[1], one[2]
    score = matcher.match(export, "surveys").source("score")
    ticket = tickets.source("ticket_id")
    if "surveys" in there or not score or not ticket or score in _taken(tickets):
        return []
    columns = {"survey_id": ticket, "ticket_id": ticket, "score": score}
    answered = tickets.source("closed_at") or tickets.source("resolved_at")
    if answered:
        columns["answered_at"] = answered
    entry = _entry(one, "surveys", columns, matcher, exports)
    entry.without = {score: [""]}
    if answered:
        entry.doubt(
            1,
            "the file does not say when the score was given; taken as the end of the ticket",
            beside="answered_at",
        )
    return [entry]


def _costs(one: Held, there: Collection[str], matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """A cost on the ticket is a posting, where no ledger and no claims say what was paid: it would count twice otherwise."""
    export, tickets = one[1], one[2]
    amount = matcher.match(export, "ledger").source("amount")
    ticket, posted = tickets.source("ticket_id"), tickets.source("opened_at")
    if (
        not {"ledger", "claims"}.isdisjoint(there)
        or not amount
        or not ticket
        or not posted
        or amount in _taken(tickets)
        or not _is_cost(amount, matcher)
    ):
        return []
    entry = _entry(
        one, "ledger", {"posting_id": ticket, "posted_on": posted, "amount": amount, "ticket_id": ticket}, matcher, exports
    )  # fmt: skip
    entry.without = {amount: [""]}
    entry.doubt(
        2,
        f"{amount} of a ticket is taken for what was spent on it on the day it was opened; a ledger would tell date and account",
        beside="columns",
    )
    return [entry]


def _is_cost(heading: str, matcher: Matcher) -> bool:
    """Whether a heading says that an amount was spent, and not what was billed (Jobs Total)."""
    return any(word.startswith(COSTS) or word.endswith(COSTS) for word in matcher.words(heading))


def _history(one: Held, there: Collection[str], matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """A file with several rows a ticket, a moment that moves on within it and a state is a log as well."""
    export, tickets = one[1], one[2]
    ticket = tickets.source("ticket_id")
    if "ticket_history" in there or not ticket or export.profiles[ticket].distinct == 1:
        return []
    match = matcher.match(export, "ticket_history")
    moment, value = match.source("changed_at"), match.source("value")
    if not moment or not value or match.source("ticket_id") != ticket:
        return []
    if moment == tickets.source("opened_at"):
        return []
    columns = {"ticket_id": ticket, "changed_at": moment, "value": value}
    return [_entry(one, "ticket_history", columns, matcher, exports)]


def _cases(one: Held, matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """A claim that refers to no ticket is the case itself."""
    export, claims = one[1], one[2]
    match = matcher.match(export, "tickets")
    claim, claimed = claims.source("claim_id"), claims.source("claimed_on")
    if not claim or not claimed or not (match.source("serial_no") or match.source("customer_id")):
        return []
    columns = {"ticket_id": claim, "opened_at": claimed}
    columns |= {
        column: source for column in OF_A_CLAIM if (source := match.source(column)) and column not in columns
    }
    return [_entry(one, "tickets", columns, matcher, exports, constants={"ticket_type": "repair"})]


def _models(one: Held, matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """A list of machines that names their models is a list of products too."""
    source = one[2].source("product_id")
    if not source:
        return []
    match = matcher.match(one[1], "products")
    model = match.source("model")
    if (
        model
        and model != source
        and match.columns["model"][1] >= SURELY_TOLD
        and _told_alike(one[1], source, model)
    ):
        entry = _entry(one, "products", {"product_id": source, "model": model}, matcher, exports, first_of=["product_id"])  # fmt: skip
        entry.without = {source: [""]}
        return [entry]
    if not set(matcher.words(source)) & MODEL_WORDS:
        return []
    return [_entry(one, "products", {"product_id": source, "model": source}, matcher, exports, first_of=["product_id"])]  # fmt: skip


def _people(
    held: Sequence[Held], matcher: Matcher, looks: Sequence[Look], exports: Sequence[Export]
) -> list[Entry]:
    """A list of people whom the customer column of tickets or orders names: customers, with staff among them perhaps."""
    for _, naming, match in held:
        source = match.source("customer_id")
        if match.table not in ("tickets", "orders") or not source:
            continue
        for look, export in zip(looks, exports, strict=True):
            if export is naming:
                continue
            key = next(
                (name for name, one in export.profiles.items() if refers_to(naming.profiles[source], one)), ""
            )
            found = matcher.match(export, "customers")
            if key and found.source("customer_name") and matcher.other(export)[0] == "people":
                columns = {
                    column: name
                    for column, (name, _) in found.columns.items()
                    if column in ("customer_name", "acquired_on", "region")
                }
                entry = _entry(
                    (look, export, found), "customers", {"customer_id": key} | columns, matcher, exports
                )
                entry.doubt(
                    2,
                    f"people are listed whom {naming.file} names as customers; staff may be among them: state only: {{role: [...]}} where a column tells",
                )
                return [entry]
    return []


def _customers(held: Sequence[Held], matcher: Matcher, exports: Sequence[Export]) -> list[Entry]:
    """The customers that the file with most of them names, with what all its rows say alike of each."""
    naming = [
        (len(one[1].profiles[source].words), number)
        for number, one in enumerate(held)
        if (source := one[2].source("customer_id")) and one[2].table != "customers"
    ]
    if not naming:
        return []
    # of files that name about as many, the one that tells most of them, machines before what happened to them
    nearly = [number for count, number in naming if count >= AS_MANY * max(naming)[0]]
    told = {number: _told_of(held[number], matcher) for number in nearly}
    first = max(nearly, key=lambda number: (len(told[number][0]), held[number][2].table == "units", number))
    one, (columns, several) = held[first], told[first]
    source = columns["customer_id"]
    entry = _entry(one, "customers", columns, matcher, exports, first_of=["customer_id"])
    entry.without = {source: [""]}
    if several:
        entry.doubt(
            1,
            "a customer with machines in several regions counts where the first one stands",
            beside="region",
        )
    return [entry]


def _told_of(one: Held, matcher: Matcher) -> tuple[dict[str, str], bool]:
    """What all rows of a file say alike of each customer that they name, and whether some stand in several regions."""
    export, source = one[1], str(one[2].source("customer_id"))
    match = matcher.match(export, "customers")
    columns = {"customer_id": source}
    several = False
    for column in OF_A_CUSTOMER:
        given = match.source(column)
        if not given or given == source or match.columns[column][1] < SURELY_TOLD:
            continue
        alike = _told_alike(export, source, given)
        # where a machine stands says where its owner is, even of an owner with machines in two places
        if alike or (column == "region" and one[2].table == "units"):
            columns[column], several = given, several or not alike
    return columns, several


def _told_alike(export: Export, key: str, column: str) -> bool:
    """Whether rows of one customer say the same, judged by customers with several rows."""
    told: dict[object, set[object]] = defaultdict(set)
    rows: dict[object, int] = defaultdict(int)
    for name, value in zip(export.profiles[key].cells, export.profiles[column].cells, strict=True):
        if name and value:
            told[name].add(value)
            rows[name] += 1
    several = [name for name, count in rows.items() if count > 1]
    alike = sum(1 for name in several if len(told[name]) == 1)
    return alike >= SAID_ALIKE * len(several) if several else True


def _taken(match: Match) -> set[str]:
    return {source for source, _ in match.columns.values()}
