"""Folding, splitting and stemming: what people type finds what others wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.store.search.words import begun_stems, fold, indexed, parts, stem


@pytest.mark.parametrize(
    "group",
    [
        ("cell", "cells", "Cells", "CELL"),
        ("Zelle", "Zellen", "zelle"),
        ("Zähler", "Zaehler", "zahler", "ZÄHLERN"),
        ("Größe", "Groesse", "grosse", "GRÖSSEN"),
        ("image", "images", "imaging", "imaged"),
        ("measure", "measured", "measuring", "measurement", "measurements"),
        ("Messung", "Messungen"),
        ("Bild", "Bilder", "Bildern"),
        ("study", "studies"),
        ("analysis", "analyses", "Analyse", "Analysen"),
        ("deformation", "deformability"),
        ("Hämolyse", "Haemolyse"),
        ("naïve", "naive"),
        ("Łódź", "lodz"),
        ("virus", "viruses", "Virus"),
    ],
)
def test_forms_of_a_word_are_one(group: tuple[str, ...]) -> None:
    assert len({tuple(parts(word)) for word in group}) == 1, [parts(word) for word in group]


@pytest.mark.parametrize(
    ("one", "other"), [("cell", "cello"), ("Probe", "probably"), ("gene", "general"), ("mass", "mas")]
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert parts(one) != parts(other)


def test_written_out_umlauts_spare_qu() -> None:
    assert fold("frequency") == "frequency"
    assert fold("Mueller") == fold("Müller") == "muller"


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("RT-DC", ["rt", "dc"]),
        ("CellCarrierB", ["cell", "carri", "b"]),
        ("20µm", ["20", "um"]),
        ("calibration_beads_47.rtdc", ["calibr", "bead", "47", "rtdc"]),
        ("細胞株", ["細", "胞", "株"]),
        ("...", []),
    ],
)
def test_parts(chunk: str, expected: list[str]) -> None:
    assert parts(chunk) == expected


def test_stored_text_keeps_the_row_of_words_and_adds_joined_forms_behind() -> None:
    assert indexed("eGFP cells measured").split() == ["e", "gfp", "cell", "measur", "egfp"]


@pytest.mark.parametrize(
    ("begun", "stems"),
    [
        ("measureme", ["measur"]),
        ("deformat", ["deform"]),
        ("cellcar", []),
        ("cytometry", ["cytometr"]),
        ("imagi", ["imag"]),
        ("bead", []),
    ],
)
def test_stems_of_words_typed_in_part(begun: str, stems: list[str]) -> None:
    assert begun_stems(begun) == stems


def test_numbers_are_not_stemmed() -> None:
    assert parts("0123456789") == ["0123456789"]
    assert stem("2021es") == "2021es"


@given(st.text())
def test_any_text_becomes_plain_words(text: str) -> None:
    for word in indexed(text).split():
        assert word == word.lower()
        assert all(character.isalnum() for character in word)
        assert not set('"*():{}^') & set(word)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöüß", min_size=1, max_size=20))
def test_stemming_again_changes_nothing_that_matters(word: str) -> None:
    assert fold(word).startswith(stem(fold(word))[:-1])
