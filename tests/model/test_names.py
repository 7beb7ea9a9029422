"""Names of datasets, communities, tags and files."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import names
from appliance.model.problem import Problem

SEED = "0123456789abcdef0123456789abcdef"


def free(name: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A test dataset 1700000000", "a-test-dataset-1700000000"),
        ("Zellen für Müller & Söhne", "zellen-fur-muller-sohne"),
        ("Клетки", "kletki"),
        ("", "01"),
        ("!?", "01"),
        ("x", "x-0"),
        ("new", "new-0"),
        ("Edit", "edit-0"),
        ("search", "search-0"),
        ("a" * 100, "a" * 100),
        ("a" * 101, "a" * 90 + "-0"),
    ],
)
def test_a_name_is_made_of_the_title(title: str, name: str) -> None:
    assert names.dataset_name(title, free, SEED) == name


def test_a_taken_name_is_prolonged_by_one_digit_after_the_other() -> None:
    taken = {"existing-name"}
    first = names.dataset_name("existing name", taken.__contains__, SEED)
    assert first == "existing-name-1"
    taken |= {f"existing-name-{digit}" for digit in "0123456789abcdef"}
    assert names.dataset_name("existing name", taken.__contains__, SEED) == "existing-name-12"


def test_all_names_taken() -> None:
    with pytest.raises(Problem) as refused:
        names.dataset_name("taken", lambda name: True, SEED)
    assert refused.value.fields == {"name": ["Could not slugify title: taken"]}


@given(st.text(max_size=300), st.integers(0, 8))
def test_every_title_gives_a_proper_name(title: str, taken: int) -> None:
    tried: list[str] = []

    def is_taken(name: str) -> bool:
        tried.append(name)
        return len(tried) <= taken

    name = names.dataset_name(title, is_taken)
    assert names.require_name(name) == name
    assert re.fullmatch(r"[a-z0-9-]{2,100}", name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a", "Must be at least 2 characters long"),
        ("a" * 101, "Name must be a maximum of 100 characters long"),
        ("Ab", "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"),
        ("ä-ö", "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"),
        ("with space", "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"),
        ("new\n", "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"),
        ("new", "That name cannot be used"),
        ("edit", "That name cannot be used"),
        ("search", "That name cannot be used"),
        (17, "Names must be strings"),
    ],
)
def test_names_that_are_refused(name: object, words: str) -> None:
    with pytest.raises(Problem) as refused:
        names.require_name(name)  # type: ignore[arg-type]
    assert refused.value.fields == {"name": [words]}


@pytest.mark.parametrize("name", ["ab", "a-b_c", "0" * 100, "user-circle-hans"])
def test_names_that_are_accepted(name: str) -> None:
    assert names.require_name(name) == name


@pytest.mark.parametrize("name", ["data.rtdc", "M001_data-1+2(3)[4],5.csv", "a.b.c.ini", ".so2", "x" * 250 + ".rtdc"])
def test_file_names_that_are_accepted(name: str) -> None:
    assert names.resource_name_errors(name) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("data.docx", "Unsupported file extension '.docx'. Allowed file extensions are ["),
        ("data.RTDC", "Unsupported file extension '.RTDC'. Allowed"),
        ("data", "Unsupported file extension 'None'. Allowed"),
        ("my data.rtdc", "Invalid characters in file name:  "),
        ("µ$.rtdc", "Invalid characters in file name: µ$"),
        ("a/b.rtdc", "Invalid characters in file name: /"),
        ("a\0b.rtdc", "Invalid characters in file name: \0"),
        ("x" * 251 + ".rtdc", "File names have at most 255 characters"),
        ("", "Missing value"),
        (None, "Missing value"),
        (["data.rtdc"], "Missing value"),
    ],
)
def test_file_names_that_are_refused(name: object, words: str) -> None:
    assert names.resource_name_errors(name)[0].startswith(words)


def test_the_suffixes_are_dcors() -> None:
    expected = ".rtdc .ini .csv .tsv .pdf .txt .jpg .png .tif .py .ipynb .poly .sof .so2"
    assert list(names.SUFFIXES) == expected.split()


@pytest.mark.parametrize("name", ["GFP", "HL60", "a b-c_d.e", "Zelle", "x" * 100, "Blutkörperchen"])
def test_tags_that_are_accepted(name: str) -> None:
    assert names.tag_errors(name) == []


@pytest.mark.parametrize("name", ["a", "x" * 101, "a,b", "a/b", "<script>", "", None, 17, ["GFP"]])
def test_tags_that_are_refused(name: object) -> None:
    assert names.tag_errors(name)


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_only_canonical_ids_are_ids(value: object) -> None:
    assert not names.is_id(value)
    assert names.is_id(names.new_id())
    assert not names.is_id(names.new_id().upper() + "\n")
