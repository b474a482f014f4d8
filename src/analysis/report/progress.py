"""What the person at the terminal sees: a bar for each stage and notebook, and at the end one line a stage with its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

LONGEST = len("run notebooks")  # of the names of stages, which stand below each other


class Progress:
    """Stages and their times, without a display (tests, notebooks); :class:`TerminalProgress` shows them."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float, str]] = []

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[str], None]]:
        """A stage of the report. What is yielded notes what is going on, and the last note stands beside the stage's time."""
        notes = [""]

        def note(text: str) -> None:
            notes.append(text)
            self.noted(title, text)

        start = time.perf_counter()
        self.started(title)
        try:
            yield note
        finally:
            seconds = time.perf_counter() - start
            self.times.append((title, seconds, notes[-1]))
            self.ended(title)

    def bar(self, name: str, total: int) -> Callable[[], None]:  # noqa: ARG002 - no screen, no bar
        """A bar below the current stage; call what is returned after each step."""
        return lambda: None

    def started(self, title: str) -> None: ...

    def noted(self, title: str, text: str) -> None: ...

    def ended(self, title: str) -> None: ...

    def lines(self) -> list[str]:
        """One line a stage, in order: its name, its seconds, its last note."""
        return [
            f"  {title:<{LONGEST}}  {seconds:6.1f} s  {note}".rstrip() for title, seconds, note in self.times
        ]


class TerminalProgress(Progress):
    """Live bars on a terminal, and the closing lines when it is closed; on a file or pipe nothing moves, and each stage says its line as it ends."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stderr
        self._rich: RichProgress | None = None
        self._tasks: dict[str, Any] = {}

    def _display(self) -> RichProgress | None:
        if self._rich is None and self._stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._rich = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                console=Console(file=self._stream),
                transient=True,
            )
            self._rich.start()
        return self._rich

    def started(self, title: str) -> None:
        if display := self._display():
            self._tasks[title] = display.add_task(title, total=None, note="")

    def noted(self, title: str, text: str) -> None:
        if self._rich:
            self._rich.update(self._tasks[title], note=text)

    def ended(self, title: str) -> None:
        if self._rich:
            self._rich.update(self._tasks.pop(title), total=1, completed=1, note="")
        else:  # a log is read while the work goes on
            print(self.lines()[-1], file=self._stream, flush=True)

    def bar(self, name: str, total: int) -> Callable[[], None]:
        if display := self._display():
            task = display.add_task(f"  {name}", total=total, note="")
            return lambda: display.advance(task)
        return super().bar(name, total)

    def close(self) -> None:
        if self._rich:
            self._rich.stop()
            self._rich = None
            print("\n".join(self.lines()), file=self._stream, flush=True)
