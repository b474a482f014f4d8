"""Ended from outside at any stage: no half edition, nothing left at work, and the next run issues what a run in peace issues."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from mistreat.house import House, bytes_of, command_of

INTERRUPTED = (130, -signal.SIGTERM, -signal.SIGINT, 143)
STAGES = {
    "at once": ("", 0.3),
    "while it starts": ("", 1.5),
    "while tables are made": ("", 2.5),
    "as notebooks begin": ("prepare data", 0.2),
    "in the notebooks": ("prepare data", 6.0),
    "as it checks": ("run notebooks", 0.05),
    "in the export": ("check ", 1.5),
    "as it publishes": ("export ", 0.0),
}
PATIENCE = 0.5  # seconds in which a child of the kind asked for is waited for
AGAIN = ("as notebooks begin", "in the notebooks", "in the export", "as it publishes")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda sign: sign.name)
def test_killed(sign: signal.Signals, stage: str, house: House, second: House) -> None:
    when, after = STAGES[stage]
    outcome = house.kill(sign, when=when, after=after)
    if outcome.code == 0:  # it was quicker than the signal
        assert house.edition(2).exists()
    else:
        assert outcome.code in ((-signal.SIGKILL,) if sign == signal.SIGKILL else INTERRUPTED), outcome
    assert "Traceback" not in outcome.said
    house.sound()
    if stage in AGAIN:
        house.judge(house.report(), code=0)
        assert bytes_of(house.edition(2)) == bytes_of(second.edition(2))
        house.latest_is(2)
        house.run("clean")
        assert not list(house.reports.glob(".building-*"))
        house.sound()


@pytest.mark.parametrize("kind", ["ipykernel|kernel", "forkserver", "export|pdf"])
@pytest.mark.parametrize(
    "moment", [("prepare data", 1.0), ("check ", 0.0)], ids=["in the notebooks", "in the export"]
)
def test_a_child_is_killed(kind: str, moment: tuple[str, float], house: House) -> None:
    """A kernel, an exporter or the process that starts them dies: the pack is whole, or the refusal says what to do."""
    own: list[int] = []

    def kill() -> None:
        """The first child of the kind that is seen at work; after a while any child."""
        began = time.monotonic()
        while parents := [pid for pid in house.processes() if "report" in command_of(pid)]:
            children = [pid for pid in house.processes() if pid != parents[0]]
            wanted = [pid for pid in children if any(word in command_of(pid) for word in kind.split("|"))]
            if not wanted and time.monotonic() - began > PATIENCE:
                wanted = children[-1:]
            for pid in wanted[-1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    own.append(pid)
                    return
            time.sleep(0.01)

    outcome = house.report_and(kill, when=moment[0], after=moment[1])
    assert own, f"no child was at work, nothing was mistreated: {outcome}"
    house.judge(outcome, code=(0, 6, 9, 10))
    if outcome.code == 0:
        house.latest_is(2)
    else:
        house.latest_is(1)
