"""Without mistreatment: what the others are measured by."""

from __future__ import annotations

from mistreat.house import House


def test_edition_1_keeps_its_bytes_after_edition_2(second: House) -> None:
    """(The house compares them.) Both stand, and the late ticket is in the second alone."""
    second.sound()
    assert [folder.name for folder in second.editions()] == ["edition-1", "edition-2"]
    assert second.facts(1) != second.facts(2)


def test_the_same_again_is_unchanged(second: House) -> None:
    done = second.report()
    second.judge(done, code=0, words="unchanged: edition 2 stands|edition-2 .*unchanged|stands")
    assert len(second.editions()) == 2
