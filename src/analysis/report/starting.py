"""From a folder of exports to a first draft: what was found, the map, the run, where the rows went, the pack, and what would add the most next."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from analysis.errors import (
    AnalysisError,
    ContractError,
    ParameterError,
    PlaceError,
    SourceError,
    command,
    in_quotes,
    suggestion,
    told,
)
from analysis.locale import Text
from analysis.metrics import Engine, Registry
from analysis.params import Assumptions, CostTree, RunParams, available_runs, load_run, project_root
from analysis.params.cost_tree import AccountRule
from analysis.params.interventions import load_interventions
from analysis.params.places import is_folder, params_file, read_plain, with_own
from analysis.params.runs import NO_TEMPLATE, available_templates
from analysis.params.strict import CurrencyCode, Name, TimeZone, Words
from analysis.params.what_ifs import load_what_ifs
from analysis.periods import Month
from analysis.report.make import make_report
from analysis.report.progress import Progress
from analysis.report.publish import Edition
from analysis.report.settling import Refuse, settle
from analysis.sources import MapEntry, SourceMap, apply_map, load_map, scan_folder, told_where
from analysis.sources.accounts import AccountGuess, account_names, guess
from analysis.sources.drafting import CLOCK, quoted
from analysis.sources.entries import part_of
from analysis.sources.headings import load_vocabulary
from analysis.sources.looking import Look, look_through
from analysis.sources.proposing import Proposal, propose
from analysis.tables import TableSet, contract, load_tables
from analysis.tables.checks import label, meaning
from analysis.tables.settings import LoadSettings
from analysis.workbook.first_settings import (
    STANDS_ON,
    Setting,
    needed_tables,
    proposed_currency,
    proposed_month,
    proposed_template,
    proposed_zone,
)
from analysis.workbook.table_shapes import table_shapes

#: Asks for a setting and returns the answer: (what is asked, what is proposed, why) to a text; blank: the proposal.
Ask = Callable[[str, str, str], str]
Say = Callable[[str], None]
#: Doubts shown in the terminal, from what cost on; all stand in the map.
MOST_DOUBTS, DEAR = 8, 2
#: Accounts that a person is asked about, the costliest first; the others stand in the cost tree.
MOST_ACCOUNTS = 12
UNALLOCATED_ANSWER = "unallocated"
#: The money of a table whose month is said in all.
MONEY_OF = {"ledger": "amount", "orders": "revenue", "claims": "amount"}
LAST_DAY = dt.date(2099, 12, 31)
_NEEDS = re.compile(r"\bneeds? ((?:[a-z_]+(?:\.[a-z_]+)?(?:, (?=[a-z_]+[.,; ]))?)+)")


@dataclass(frozen=True, kw_only=True)
class Need:
    """A table that parts of a pack wait for, the columns they name, the one most wanted first, and the number of those parts."""

    table: str
    columns: tuple[str, ...]
    parts: int


@dataclass(frozen=True, kw_only=True)
class Started:
    """What was written and made: the run's name, its files, the draft (None where the conversation ended before it), and what would add most."""

    name: str
    files: tuple[Path, ...]
    draft: Edition | None
    would_add: tuple[Need, ...] = ()


def start(
    folder: Path,
    *,
    name: str = "",
    settings: Mapping[str, str] = {},
    ask: Ask | None,
    say: Say,
    workers: int = 2,
    progress: Progress | None = None,
) -> Started:
    """Propose a map and a run for a folder, write both, make a first draft of its last whole month.

    Parameters
    ----------
    folder : of exports, or of canonical tables
    name : of the run and its map; the folder's own where it is blank
    settings : ``company``, ``currency``, ``time_zone``, ``month``, ``template`` where they are stated, and so not asked for
    ask, say : the person at the terminal; without ``ask`` everything is taken as proposed
    workers : kernels side by side, at most
    progress : told what is being done

    Returns
    -------
    Started

    Raises
    ------
    ParameterError
        For a name that is taken, and an answer that is no setting.
    SourceError
        Where nothing in the folder can be read as a table.
    """
    if not is_folder(folder, name=folder.name, refusal=SourceError):
        raise SourceError(f"{folder.name}: no such folder. Name the folder that holds the exports.")
    name = _free_name(name or _slug(folder.resolve().name))
    with tempfile.TemporaryDirectory(dir=_work_folder(), prefix="start-") as work:
        first = _First(
            folder=folder,
            name=name,
            settings=dict(settings),
            ask=ask,
            say=lambda line: say(told(line)),
            work=Path(work),
        )
        files = first.written()
    if files is None:
        return Started(name=name, files=(), draft=None)
    for file in files:
        say(f"written: {os.path.relpath(file)}")
    try:
        draft = make_report(name, draft=True, workers=workers, progress=progress)
    except BaseException:
        say(f"the draft was not made, for the reason below; the files above stay. {_next_step(name)}")
        raise
    return Started(name=name, files=files, draft=draft, would_add=would_add(draft.folder))


def _next_step(name: str) -> str:
    """What to do once the extract or the map is mended."""
    return (
        f"When it is mended: {command(f'check {name}')} until nothing is refused, then {command(f'report {name} --draft')}. "
        f"To be asked anew, take away params/runs/{name}.yml, params/runs/{name}/ and params/sources/{name}.yml, and start again."
    )


def would_add(edition: Path) -> tuple[Need, ...]:
    """What parts of a pack say they lack, by table, the one that most parts wait for first."""
    parts: Counter[str] = Counter()
    columns: dict[str, Counter[str]] = {}
    for text in {text for path in sorted((edition / "notebooks").glob("*.ipynb")) for text in _said(path)}:
        named = {need for found in _NEEDS.findall(text) for need in found.split(", ")}
        lacking = {need for need in named if need.partition(".")[0] in contract().tables}
        parts.update({need.partition(".")[0] for need in lacking})
        for need in lacking:
            table, _, column = need.partition(".")
            columns.setdefault(table, Counter()).update([column] if column else [])
    return tuple(
        Need(
            table=table,
            columns=tuple(sorted(columns[table], key=lambda one: (-columns[table][one], one))),
            parts=count,
        )
        for table, count in sorted(parts.items(), key=lambda one: (-one[1], one[0]))
    )


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What was seen, and the maps that may read it: those that ship first; none for canonical tables."""

    looks: Sequence[Look]
    shipped: Sequence[SourceMap] = ()
    proposal: Proposal | None = None
    proposed: SourceMap | None = None

    @property
    def zones(self) -> list[str]:
        """Zones in which moments without an offset are meant, one an entry of the first map."""
        first = next((one for one in (*self.shipped, self.proposed) if one is not None), None)
        return [entry.local_times.zone for entry in first.tables if entry.local_times] if first else []


@dataclass(frozen=True, kw_only=True)
class _Read:
    """The tables; the shipped map that gave them (blank: a proposed one, or none); tables left out with the reason."""

    tables: TableSet
    map: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _First:
    """The conversation up to the files that it writes."""

    folder: Path
    name: str
    settings: dict[str, str]
    ask: Ask | None
    say: Say
    work: Path
    why: dict[str, str] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)

    def written(self) -> tuple[Path, ...] | None:
        """The map and the run, once the person agrees; None where they do not."""
        found = self._found()
        zone = self._settled("time_zone", proposed_zone(found.looks, found.zones), _of(TimeZone()))
        currency = self._settled("currency", proposed_currency(found.looks, zone), _of(CurrencyCode()))
        found = self._with_answers(found, zone, currency)
        read = self._read(found, zone, currency)
        self._say_read(read)
        month = Month.parse(
            self._settled(
                "month", self._month_of(read.tables, zone, currency), lambda _, answer: Month.parse(answer)
            )
        )
        self._say_month(read.tables, month, zone, currency)
        needs = needed_tables(read.tables, month)
        if not needs:
            raise ContractError(
                f"{self.folder.name}: no row lies in {month}, so there is nothing to report. Choose another month."
            )
        company = self._settled(
            "company",
            Setting(value=self.folder.resolve().name, why="the folder's name"),
            _of(Words(longest=200)),
        )
        template = self._template(read, zone, currency)
        with with_own((f"templates/{template}",) if template else ()):
            tree = self._cost_tree(found, read, currency, zone)
        question = ("write these and make the draft", "yes", "no ends here, and writes nothing")
        if self.ask is not None and not _agreed(self.ask(*question)):
            return None
        run = RunParams(
            name=self.name,
            company=Text.same(company),
            data=_place(self.folder),
            month=month,
            currency=currency,
            time_zone=zone,
            source_map=read.map or (self.name if found.proposal else ""),
            template=template,
            needs=needs,
            exchange_rates={code: {FIRST_DAY: rate} for code, rate in self.rates.items()},
        )
        files = [_kept(f"runs/{self.name}.yml", _run_text(run, self.why))]
        files += [_kept(f"runs/{self.name}/{file}", text) for file, text in _of_nobody_else().items()]
        if tree:
            files.append(_kept(f"runs/{self.name}/cost_tree.yml", tree))
        if run.source_map == self.name and found.proposal:
            files.append(_kept(f"sources/{self.name}.yml", found.proposal.text(left_out=read.left_out)))
        # what was written is read again before anything is made of it
        with with_own(load_run(self.name).own_params):
            CostTree.load()
            load_interventions()
            load_what_ifs()
        return tuple(files)

    # ---------------------------------------------------------------- what is there

    def _found(self) -> _Found:
        """What the folder holds: canonical tables; or exports, with the shipped maps that fit them and a proposed one."""
        if canonical := _canonical(self.folder):
            self.say(f"found: tables by their own names: {', '.join(canonical)}")
            return _Found(looks=look_through(self.folder).looks)
        proposal = propose(self.folder, table_shapes())
        shipped = [load_map(name, _columns()) for name in proposal.shipped]
        self._say_found(proposal)
        return _Found(
            looks=proposal.looks,
            shipped=shipped,
            proposal=proposal if proposal.entries else None,
            proposed=self._as_map(proposal.text()) if proposal.entries else None,
        )

    def _say_found(self, proposal: Proposal) -> None:
        for entry in proposal.entries:
            part = part_of(entry)
            self.say(
                f"found: {entry.file}{f' ({part})' if part else ''} -> {entry.table}: {', '.join(entry.canonical)}"
            )
        for line in proposal.remarks:
            self.say(f"  {line.removeprefix('# ').replace('analysis check', command('check'))}")

    def _with_answers(self, found: _Found, zone: str, currency: str) -> _Found:
        """The proposal with what the person says of it; where a map that is there already reads the files, its own rules hold."""
        found = replace(found, shipped=self._whole(found))
        if found.proposal is None or found.shipped:
            return found
        settled = settle(found.proposal, zone=zone, currency=currency, answer=self._answered)
        self.rates = settled.rates
        for said in settled.files:
            self.say(f"  meant      {said}")
        self._say_doubts(found.proposal)
        return replace(found, proposed=self._as_map(found.proposal.text()))

    def _say_doubts(self, proposal: Proposal) -> None:
        """The dearest doubts but those of clocks, which were said file by file, and how many there are in all."""
        dear = [one for one in proposal.doubts if one[0].cost >= DEAR and CLOCK not in one[0].said][
            :MOST_DOUBTS
        ]
        for doubt, place in dear:
            self.say(f"  doubt      {place}: {doubt.said}")
        if rest := len(proposal.doubts) - len(dear):
            self.say(
                f"  {len(proposal.doubts)} doubts in all, those that move the most first: {len(dear)} above; the other {rest} stand in the map, each beside what it doubts"
            )

    def _as_map(self, text: str) -> SourceMap:
        path = self.work / "proposed.yml"
        path.write_text(text, encoding="utf-8")
        return load_map(self.name, _columns(), path=path)

    # ---------------------------------------------------------------- reading it

    def _whole(self, found: _Found) -> Sequence[SourceMap]:
        """Maps that read every table that a report stands on and that the files were taken for; of others it is said what they leave out.

        A map that a person made of an earlier proposal may lack a table that could not be read then.
        """
        if found.proposed is None:
            return found.shipped
        there = {entry.table for entry in found.proposed.tables} & set(STANDS_ON)
        kept = []
        for one in found.shipped:
            if lacking := sorted(there - {entry.table for entry in one.tables}):
                self.say(
                    f"  the map '{one.name}' reads no {', no '.join(lacking)}; the files are read as proposed here"
                )
            else:
                kept.append(one)
        return kept

    def _read(self, found: _Found, zone: str, currency: str) -> _Read:
        """The tables by the first map that reads them; of a proposed one without the tables that cannot be read so."""
        if not found.shipped and found.proposed is None:
            return _Read(
                tables=load_tables(
                    self.folder, self.work / "store", reporting_currency=currency, time_zone=zone
                )
            )
        for shipped in found.shipped:
            try:
                return _Read(tables=self._load(shipped, shipped.tables, zone, currency), map=shipped.name)
            except AnalysisError as error:
                if found.proposed is None and shipped is found.shipped[-1]:
                    raise
                self.say(f"  the map '{shipped.name}' fits by its names and does not read them: {error}")
        assert found.proposed is not None  # else the last shipped map's refusal stood
        return self._read_proposed(found.proposed, zone, currency)

    def _read_proposed(self, proposed: SourceMap, zone: str, currency: str) -> _Read:
        """One table that cannot be read as proposed does not keep the others from a draft: it is left out, with the reason."""
        try:
            return _Read(tables=self._load(proposed, proposed.tables, zone, currency))
        except AnalysisError as error:
            refusal = error
        kept: list[MapEntry] = []
        left_out: dict[str, str] = {}
        tables: TableSet | None = None
        for table in contract().tables:
            more = [entry for entry in proposed.tables if entry.table == table]
            try:
                tables = self._load(proposed, [*kept, *more], zone, currency) if more else tables
            except AnalysisError as error:
                left_out[table] = str(error)
            else:
                kept += more
        if tables is None:
            raise refusal
        return _Read(tables=tables, left_out=left_out)

    def _load(self, source_map: SourceMap, entries: Sequence[MapEntry], zone: str, currency: str) -> TableSet:
        place = self.work / str(sum(1 for _ in self.work.iterdir()))
        mapped = apply_map(
            replace(source_map, tables=tuple(entries)), self.folder, place / "mapped", business_zone=zone
        )
        with told_where(mapped):
            return load_tables(
                place / "mapped",
                place / "store",
                reporting_currency=currency,
                time_zone=zone,
                exchange_rates={code: [(FIRST_DAY, rate)] for code, rate in self.rates.items()},
            )

    def _say_read(self, read: _Read) -> None:
        for table, reason in read.left_out.items():
            self.say(f"  left out   {table}: {reason}")
        for table, info in sorted(read.tables.tables.items()):
            for part in info.waterfall:
                self.say(
                    f"  read       {table}: {part.rows_read:,} rows = {part.accepted:,} accepted + {part.quarantined:,} set aside + {part.exact_duplicates:,} twice the same"
                )
        for check in read.tables.checks:
            if check.outcome == "failed":
                self.say(
                    f"  {label(check):<10} {check.table}: {meaning(check, _rows_read(read.tables, check.table), limit=LoadSettings.quarantine_limit)}"
                )

    def _say_month(self, tables: TableSet, month: Month, zone: str, currency: str) -> None:
        """Rows and money of the month in the tables that a report stands on: to be held against the systems' own screens."""
        for table in STANDS_ON:
            if month not in tables[table].months:
                continue
            money = MONEY_OF.get(table, "")
            total = f", {money} {{total:,.2f}} {currency}" if money and tables.has(f"{table}.{money}") else ""
            column = f"coalesce(sum({money}), 0)" if total else "0"
            counted = self._engine(tables, zone, currency).query(
                f"SELECT count(*) AS rows, {column} AS total FROM {table} WHERE month = DATE '{month.start}'"
            )
            said = total.format(total=float(counted["total"].iloc[0]))
            self.say(
                f"  in {month} {table}: {int(counted['rows'].iloc[0]):,} rows{said}; compare with the system's own screen"
            )

    def _cost_tree(self, found: _Found, read: _Read, currency: str, zone: str) -> str:
        """A cost tree of the company's own accounts, by what their names tell; blank where all of them are known, or there are none."""
        if not read.tables.has("ledger.account", "ledger.amount"):
            return ""
        spent = self._engine(read.tables, zone, currency).query(
            "SELECT account, sum(amount) AS amount FROM ledger WHERE account IS NOT NULL GROUP BY 1 ORDER BY abs(sum(amount)) DESC, 1"
        )
        tree = CostTree.load()
        known = {rule.account for rule in tree.accounts}
        accounts = [str(account) for account in spent["account"]]
        if known.issuperset(accounts):
            return ""
        source_map = next((one for one in found.shipped if one.name == read.map), found.proposed)
        vocabulary = load_vocabulary()
        names = account_names(source_map, found.looks, vocabulary) if source_map else {}
        guessed = {
            account: guess(names.get(account, account), vocabulary)
            for account in accounts
            if account not in known
        }
        self._name_accounts(tree, guessed, dict(zip(accounts, map(float, spent["amount"]), strict=True)))
        return cost_tree_text(tree, accounts, guessed)

    def _name_accounts(
        self, tree: CostTree, guessed: dict[str, AccountGuess], spent: Mapping[str, float]
    ) -> None:
        """Say how many accounts have a category of this tree by their names, and ask for the others."""
        open_ones = [account for account, one in guessed.items() if one.category not in tree.categories]
        self.say(f"  accounts   {len(guessed) - len(open_ones)} of {len(guessed)} put into a category of cost by their names")  # fmt: skip
        for account in open_ones[:MOST_ACCOUNTS]:
            one = guessed[account]
            hint = f"; its name says {one.category}, which this cost tree does not have" if one.category else "; its name tells no category"  # fmt: skip
            answer = self._answered(
                f"category of account {account} {one.name}",
                UNALLOCATED_ANSWER,
                f"{spent[account]:,.2f} in all{hint}",
                choices=[UNALLOCATED_ANSWER, *tree.categories],
            )
            if answer != UNALLOCATED_ANSWER:
                guessed[account] = replace(one, category=answer, word="")
        left = [account for account in open_ones if guessed[account].category not in tree.categories]
        if left:
            named = ", ".join(f"{account} {guessed[account].name}" for account in left[:MOST_ACCOUNTS])
            self.say(
                f"             {len(left)} stay unallocated with {sum(spent[account] for account in left):,.2f} of cost until params/runs/{self.name}/cost_tree.yml names "
                f"their category: {named}. Its categories: {', '.join(tree.categories)}"
            )

    def _template(self, read: _Read, zone: str, currency: str) -> str:
        """The industry template, by what is there; ``none`` is an answer too."""
        proposed = proposed_template(self._engine(read.tables, zone, currency))
        known = [NO_TEMPLATE, *available_templates()]
        proposed = replace(proposed, value=proposed.value or NO_TEMPLATE)
        answer = self._settled("template", proposed, _one_of(known), choices=f"; one of {', '.join(known)}")
        return "" if answer == NO_TEMPLATE else answer

    def _month_of(self, tables: TableSet, zone: str, currency: str) -> Setting:
        day = dt.date.today()
        engine = self._engine(tables, zone, currency)
        limit = float(Assumptions.load().value("silent_days_limit", on=day))
        proposed = proposed_month(engine, silent_days=limit, today=day)
        if proposed is None:
            read = ", ".join(sorted(name for name, info in tables.tables.items() if info.rows)) or "nothing"
            raise ContractError(
                f"{self.folder.name}: nothing that was read has rows by day (tickets, orders, ledger, surveys, claims …), so there is no month to report; read: {read}. "
                "Put such an export into the folder. Where it is there and was not recognised, name its headings in params/vocabulary.yml or write the map (docs/SOURCES.md)."
            )
        return proposed

    def _engine(self, tables: TableSet, zone: str, currency: str) -> Engine:
        return Engine(
            tables,
            Registry.load(),
            cost_tree=CostTree.load(),
            as_of=LAST_DAY,
            time_zone=zone,
            currency=currency,
            confidence=0.95,
            cache=None,
        )

    # ---------------------------------------------------------------- what the person says

    def _settled(self, setting: str, proposed: Setting, refuse: Refuse, *, choices: str = "") -> str:
        """What is stated, else the answer; kept with what it was taken from. A person who answers amiss is told why, and asked again."""
        name, answer = setting.replace("_", " "), self.settings.get(setting, "")
        self.why[setting] = "as stated" if answer else proposed.why
        if answer or self.ask is None:
            answer = answer or proposed.value
            refuse(name, answer)
            if self.ask is None:
                self.say(f"{name}: {answer} ({self.why[setting]})")
            return answer
        answer = self._answered(name, proposed.value, f"{proposed.why}{choices}", refuse=refuse)
        if answer != proposed.value:
            self.why[setting] = "as stated"
        return answer

    def _answered(
        self, what: str, proposed: str, why: str, *, refuse: Refuse | None = None, choices: Sequence[str] = ()
    ) -> str:
        """The answer, or what is proposed where nobody is asked. A person who answers amiss is told why, and asked again."""
        if self.ask is None:
            return proposed
        refuse = refuse or _one_of(choices)
        reason = f"{why}; one of {', '.join(choices)}" if choices else why
        for left in reversed(range(TRIES)):
            answer = self.ask(what, proposed, reason).strip() or proposed
            meant = [one for one in choices if answer and one.startswith(answer.lower())]
            answer = meant[0] if len(meant) == 1 else answer
            try:
                refuse(what, answer)
            except ParameterError as problem:
                if not left:
                    raise
                self.say(f"  {problem}")
            else:
                break
        return answer


TRIES = 5
#: From which a rate holds that a person gave without a day.
FIRST_DAY = dt.date(2000, 1, 1)


def _of(kind: CurrencyCode | TimeZone | Words) -> Refuse:
    return lambda name, answer: kind.refuse_outside(answer, name)


def _one_of(known: Sequence[str]) -> Refuse:
    def refuse(name: str, answer: str) -> None:
        if answer not in known:
            raise ParameterError(
                f"{name} {in_quotes(answer)} is not known.{suggestion(answer, known)} Known: {', '.join(known)}."
            )

    return refuse


def _rows_read(tables: TableSet, table: str) -> int:
    return sum(part.rows_read for part in tables[table].waterfall)


# ---------------------------------------------------------------- files


def _canonical(folder: Path) -> list[str]:
    """Tables of a folder whose files carry their names and columns; none where a file of such a name is another system's export."""
    try:
        found = scan_folder(folder, contract().tables)
    except SourceError:
        return []
    looks = {look.name: set(look.header) for look in look_through(folder).looks}
    named = dict.fromkeys(file.table for file in found.files)
    for name in named:
        table = contract().tables[name]
        needed = {
            column
            for column in table.columns
            if table.mandatory(column) and table.columns[column].default is None
        }
        if name in looks and not needed <= looks[name]:
            return []
    return list(named)


def _columns() -> dict[str, tuple[str, ...]]:
    return {name: tuple(table.columns) for name, table in contract().tables.items()}


def _of_nobody_else() -> dict[str, str]:
    """Files of params that name measures and plans of the sample company: a company of its own begins with none."""
    import yaml

    plan = yaml.safe_load(read_plain(params_file("what_ifs.yml"))) | {"scenarios": {}}
    return {
        "interventions.yml": "# Measures and fixes to be judged, each with its start and where it applies (params/interventions.yml has examples); none yet.\n{}\n",
        "what_ifs.yml": "# What would happen if service were better: scenarios with costs and ranges (params/what_ifs.yml has examples); none yet.\n"
        + yaml.safe_dump(plan, allow_unicode=True, sort_keys=False),
    }


def _slug(name: str) -> str:
    """A folder's name as that of a run: letters, digits and dashes of any script."""
    return re.sub(r"[^\w]+", "-", name).strip("-_").lower()[:60] or "company"


def _free_name(name: str) -> str:
    Name().refuse_outside(name, "name")
    if Path(name).name != name or name.startswith("."):
        raise ParameterError(f"name {in_quotes(name)}: should be the name of a file, such as acme.")
    for kind in ("runs", "sources"):
        path = project_root() / "params" / kind / f"{name}.yml"
        if path.exists() or (kind == "runs" and name in available_runs()):
            raise ParameterError(
                f"params/{kind}/{name}.yml is there already. Make its draft with make report RUN={name} DRAFT=1, start under another name with NAME={name}-2, or take the files of that name away to start anew."
            )
    return name


def _work_folder() -> Path:
    folder = project_root() / "build"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlaceError(
            f"build: no folder can be made there ({error.strerror}). Start in a folder that you may write to."
        ) from None
    return folder


def _kept(name: str, text: str) -> Path:
    path = project_root() / "params" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _place(folder: Path) -> str:
    """The folder as the run states it: from the project where it lies in or beside it, else in full."""
    root, given = project_root().resolve(), folder.resolve()
    near = given.is_relative_to(root.parent) and root.parent != root
    return os.path.relpath(given, root) if near else str(given)


def _run_text(run: RunParams, why: Mapping[str, str]) -> str:
    company = quoted(run.company.en)
    lines = [
        "# Proposed from the data; what stands behind a line says what it was taken from. docs/CONFIGURATION.md names every key.",
        f"company: {{en: {company}, zh: {company}}}  # {why['company']}",
        f"data: {quoted(run.data)}",
        *([f"source_map: {quoted(run.source_map)}"] if run.source_map else []),
        *([f"template: {run.template}  # {why['template']}"] if run.template else []),
        f'month: "{run.month}"  # {why["month"]}',
        f"currency: {run.currency}  # {why['currency']}",
        f"time_zone: {run.time_zone}  # {why['time_zone']}",
        f"needs: [{', '.join(run.needs)}]",
        *(
            ["exchange_rates:  # as answered, for every day; put the dated rates in their place"]
            if run.exchange_rates
            else []
        ),
        *(
            f"  {code}: {{{day}: {rate}}}"
            for code, rates in run.exchange_rates.items()
            for day, rate in rates.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def cost_tree_text(tree: CostTree, spent: Collection[str], accounts: Mapping[str, AccountGuess]) -> str:
    """``cost_tree.yml`` with the categories and allocation rules of a tree, its rules for accounts that have postings, and those that it does not know; one
    that nothing tells stands in a comment, to be filled in."""
    lines = [
        "# Proposed from the names of the accounts, the costliest first: settle every line, and fill in those behind a #.",
        "version: 1",
        "categories:",
    ]
    for id, category in tree.categories.items():
        lines.append(f"  {id}: {{name: {_both(category.name)}, behaviour: {category.behaviour}}}")
    rules, open_ones = [_rule(rule) for rule in tree.accounts if rule.account in spent], []
    for account, one in accounts.items():
        name = _both(Text.same(one.name))
        if one.category in tree.categories:
            told = f"by the word {one.word}" if one.word else "as answered"
            rules.append(
                f"  - {{account: {quoted(account)}, category: {one.category}, name: {name}}}  # {told}"
            )
        else:
            said = (
                f"  # its name says {one.category}, which stands not under categories" if one.category else ""
            )
            open_ones.append(f"  # - {{account: {quoted(account)}, category: ?, name: {name}}}{said}")
    lines += ["accounts:" if rules else "accounts: []", *rules, *open_ones]
    lines += ["allocation:" if tree.allocation else "allocation: []"]
    lines += [
        f"  - {{pool: {rule.pool}, driver: {rule.driver}, to: {rule.to}, valid_from: {rule.valid_from}, name: {_both(rule.name or Text.same(rule.pool))}}}"
        for rule in tree.allocation
    ]
    return "\n".join(lines) + "\n"


def _rule(rule: AccountRule) -> str:
    """A rule as the tree has it."""
    more = "" if rule.cost_center == "*" else f", cost_center: {quoted(rule.cost_center)}"
    name = f", name: {_both(rule.name)}" if rule.name else ""
    return f"  - {{account: {quoted(rule.account)}, category: {rule.category}{more}, valid_from: {rule.valid_from}{name}}}"


def _both(name: Text) -> str:
    return f"{{en: {quoted(name.en)}, zh: {quoted(name.zh)}}}"


def _agreed(answer: str) -> bool:
    return answer.strip().lower() in ("", "y", "yes")


def _said(path: Path) -> Iterator[str]:
    """The English sentences of remarks and checks in an executed notebook that name what they need."""
    from analysis.report.record import blocks_of

    notebook = json.loads(path.read_text(encoding="utf-8"))
    for _, block in blocks_of(notebook, path.name):
        given = [block.get("body"), *(check["sentence"] for check in block.get("checks", []))]
        for sentence in given:
            text = "".join(part["t"] for part in (sentence or {}).get("en", []) if isinstance(part, dict))
            if "need" in text:
                yield text
