"""A message has an end, shows no password, and leaves the terminal as it is."""

from __future__ import annotations

import pickle
import time

import pytest

from analysis.errors import LONGEST, AnalysisError, MissingData, ParameterError, SourceError, in_quotes


@pytest.mark.parametrize(
    "address",
    [
        "postgres://joe:hunter2@host/db",
        "postgres:/joe:hunter2@host/db",
        "postgresql+psycopg://joe:hun/ter2@x@host:5432/db",
        "mysql://joe:hun ter2@host/db",
        "MSSQL://joe:hunter2@host/db?driver=x",
        "postgres://joe@host/db",
        "https://joe:hunter2@host/path",
        "host=db user=x password=hunter2",
        "postgres://host/db?password=hunter2&x=1 of somebody",
    ],
)
@pytest.mark.parametrize("kind", [ParameterError, SourceError, AnalysisError])
def test_no_message_shows_who_connects(address, kind):
    said = str(kind(f"folder '{address}': no such folder. Name another."))
    assert not any(part in said for part in ("joe", "hun", "ter2"))
    assert "Name another." in said


def test_a_message_has_an_end_and_keeps_what_to_do():
    started = time.perf_counter()
    said = str(ParameterError(f"value '{'x' * 6_000_000}' is wrong. Do this."))
    assert len(said) < LONGEST + 20
    assert said.startswith("value 'x") and said.endswith("Do this.")
    assert str(MissingData(*["table"] * 10_000)) != ""
    assert len(str(MissingData(*["table"] * 10_000))) < LONGEST + 20
    assert time.perf_counter() - started < 2


def test_a_terminal_is_not_driven_by_a_value():
    assert "\x1b" not in str(ParameterError("key '\x1b[2J\x07' is unknown."))


def test_a_refusal_comes_whole_from_another_process():
    error = pickle.loads(pickle.dumps(ParameterError("one thing.")))
    assert (type(error), str(error)) == (ParameterError, "one thing.")


def test_values_are_repeated_by_their_beginning():
    assert in_quotes("short") == "'short'"
    assert in_quotes("x" * 100).endswith("…' (100 characters)")
    assert len(in_quotes([["x" * 1000] * 1000] * 1000)) < 200
