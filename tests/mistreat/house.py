"""A small company with an issued month, one late ticket that waits for edition 2, and what must hold whatever is done to it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MONTH = "2026-10"
LATE = (
    "T99,C2,P2,inquiry,2026-10-25T03:00:00,2026-10-25T05:00:00,false,0.4,closed,false,2026-11-02T00:00:00\n"
)
LONGEST_MESSAGE = 4_000
OF_OURS = re.compile(r"Traceback \(most recent call last\)|fault of the program")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended, and all that it wrote."""

    code: int
    said: str
    seconds: float


def bytes_of(folder: Path) -> dict[str, str]:
    """What stands in a folder: files by their content, links by where they lead."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass(kw_only=True)
class House:
    """A project's folder and the editions that were issued in it, to be mistreated."""

    root: Path
    before: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = {folder.name: bytes_of(folder) for folder in self.editions()}

    @property
    def company(self) -> Path:
        return self.root / "company"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def edition(self, number: int) -> Path:
        return self.reports / MONTH / f"edition-{number}"

    def editions(self) -> list[Path]:
        return sorted((self.reports / MONTH).glob("edition-*"))

    def table(self, name: str) -> Path:
        return self.company / f"{name}.csv"

    def rewrite(self, name: str, old: str, new: str) -> None:
        """Replace a text in a table, which must hold it: a mistreatment that does nothing proves nothing."""
        text = self.table(name).read_text("utf-8")
        assert old in text, f"{name}.csv does not hold {old!r}"
        self.table(name).write_text(text.replace(old, new), "utf-8")

    def facts(self, edition: int | Path) -> dict[str, object]:
        """The facts of an edition, by id; of the files that were read their names, not what bytes they had."""
        folder = self.edition(edition) if isinstance(edition, int) else edition
        found = {fact["id"]: fact for fact in json.loads((folder / "facts.json").read_text("utf-8"))["facts"]}
        for fact in found.values():
            if fact["lineage"] and fact["lineage"]["kind"] == "read":
                fact["lineage"]["files"] = sorted(fact["lineage"]["files"])
        return found

    def manifest(self, edition: int) -> dict[str, object]:
        found = json.loads((self.edition(edition) / "manifest.json").read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    # ---------------------------------------------------------------- what is done

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """A command line of the project, begun."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AFTER_SALES", "SOURCE_DATE"))
        }
        return subprocess.Popen(
            [sys.executable, "-m", "analysis.cli", *arguments],
            cwd=self.root,
            env=kept | {"PYTHONPATH": str(ROOT / "src")} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, within: float = 300, **environment: str) -> Outcome:
        began = time.monotonic()
        process = self.start(*arguments, **environment)
        try:
            said, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"analysis {' '.join(arguments)}: not done after {within:.0f} s") from None
        return Outcome(code=process.returncode, said=said, seconds=time.monotonic() - began)

    def report(self, *arguments: str, within: float = 300, **environment: str) -> Outcome:
        return self.run(
            "report",
            "--month",
            MONTH,
            *(("--data", "company") if "--data" not in arguments else ()),
            *arguments,
            within=within,
            **environment,
        )

    def report_and(self, disturb: Callable[[], None], *, when: str, after: float = 0.0) -> Outcome:
        """Make the report and disturb it when the progress names a stage as done; ``""``: when it has begun."""
        began = time.monotonic()
        process = self.start("report", "--month", MONTH, "--data", "company")
        said: list[str] = []
        done = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if when and when in line:
                    done.set()
            done.set()

        reader = threading.Thread(target=read)
        reader.start()
        if when:
            assert done.wait(200), f"'{when}' was never said: {said}"
        time.sleep(after)
        disturb()
        process.wait(timeout=200)
        reader.join(timeout=30)
        return Outcome(code=process.returncode, said="".join(said), seconds=time.monotonic() - began)

    def kill(self, sign: signal.Signals, *, when: str, after: float) -> Outcome:
        """Make the report and send its process a signal."""
        found: list[int] = []

        def send() -> None:
            for pid in self.processes():
                if "report" in command_of(pid) and "analysis" in command_of(pid):
                    found.append(pid)
                    os.kill(pid, sign)
                    return

        return self.report_and(send, when=when, after=after)

    def processes(self) -> list[int]:
        """Processes at work in this house, parents first."""
        found = []
        for place in Path("/proc").iterdir():
            if place.name.isdigit():
                with contextlib.suppress(OSError):
                    if (place / "cwd").resolve().is_relative_to(self.root) and int(place.name) != os.getpid():
                        found.append(int(place.name))
        return sorted(found)

    # ---------------------------------------------------------------- what must hold

    def judge(self, outcome: Outcome, *, code: int | Sequence[int], words: str | Sequence[str] = ()) -> None:
        """The exit code and the words that were promised, and :meth:`sound`."""
        allowed = (code,) if isinstance(code, int) else tuple(code)
        assert outcome.code in allowed, f"ended with {outcome.code}, not {allowed}:\n{outcome.said[-3000:]}"
        for word in (words,) if isinstance(words, str) else words:
            assert re.search(word, outcome.said, re.IGNORECASE), (
                f"{word!r} is not said:\n{outcome.said[-3000:]}"
            )
        assert not OF_OURS.search(outcome.said), outcome.said[-3000:]
        # a refusal is read by a person; what a command was asked to list may be long
        assert not outcome.code or len(outcome.said) < LONGEST_MESSAGE, (
            f"{len(outcome.said)} characters: {outcome.said[:500]}"
        )
        self.sound()

    def sound(self, *, editions_may_be_gone: bool = False) -> None:
        """Every edition is whole and has the bytes it had; ``latest`` leads to the newest; nothing is left at work."""
        now = {folder.name: bytes_of(folder) for folder in self.editions()}
        for name, content in self.before.items():
            assert editions_may_be_gone or now.get(name) == content, f"{name} has changed"
        for folder in self.editions():
            missing = [name for name in WHOLE if not (folder / name).exists()]
            assert not missing, f"{folder.name} lacks {missing}"
        latest = self.reports / "latest"
        if latest.is_symlink():
            assert latest.resolve() in [folder.resolve() for folder in self.editions()], (
                f"latest leads to {latest.readlink()}"
            )
        self._nothing_at_work()

    def latest_is(self, number: int) -> None:
        assert (self.reports / "latest").resolve() == self.edition(number).resolve()

    def _nothing_at_work(self) -> None:
        for _ in range(60):
            if not (left := self.processes()):
                return
            time.sleep(0.5)
        commands = [command_of(pid) for pid in left]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"left at work: {commands}")


WHOLE = (
    "manifest.json",
    "facts.json",
    "findings.json",
    "exhibits.json",
    "after-sales-report.en.pdf",
    "after-sales-report.zh.pdf",
    "html/en/index.html",
    "html/zh/index.html",
    "notebooks",
    "evidence",
)


def command_of(pid: int) -> str:
    """How a process was called; empty when it has ended."""
    with contextlib.suppress(OSError):
        return (
            (Path("/proc") / str(pid) / "cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode("utf-8", "replace")
        )
    return ""
