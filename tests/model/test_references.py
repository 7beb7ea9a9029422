"""Authors, DOI and references as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import references


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("Ada L.,Max P. , ,Eve", "Ada L., Max P., Eve"),
        (" , ,", ""),
        ("Jane Roe", "Jane Roe"),
    ],
)
def test_authors(pasted: str, stored: str) -> None:
    assert references.authors(pasted) == stored


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("https://doi.org/10.1371/journal.pone.0088458", "10.1371/journal.pone.0088458"),
        ("http://dx.doi.org/10.1/x/", "10.1/x"),
        (" 10.1000/xyz ", "10.1000/xyz"),
        ("doi:10.1/x", "doi:10.1/x"),
        ("", ""),
        ("https://doi.org", ""),
    ],
)
def test_doi(pasted: str, stored: str) -> None:
    assert references.doi(pasted) == stored


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("https://doi.org/10.1186/s12859-020-03553-y", "doi:10.1186/s12859-020-03553-y"),
        ("http://dx.doi.org/10.1/x", "doi:10.1/x"),
        ("doi.org/10.1/x", "doi:10.1/x"),
        ("doi:10.1039/C9SM01226E", "doi:10.1039/C9SM01226E"),
        ("https://arxiv.org/abs/1507.00466", "arXiv:1507.00466"),
        ("ARXIV:1507.00466", "arXiv:1507.00466"),
        ("https://www.biorxiv.org/content/10.1101/862227v2.full.pdf+html", "bioRxiv:10.1101/862227v2"),
        ("https://www.biorxiv.org/content/10.1101/862227v2.full.pdf", "bioRxiv:10.1101/862227v2"),
        ("biorxiv:10.1101/862227", "bioRxiv:10.1101/862227"),
        ("https://dclab.readthedocs.io", "https://dclab.readthedocs.io"),
        ("a book, https://doi.org/10.1/x,,", "a book, doi:10.1/x"),
        ("", ""),
    ],
)
def test_references(pasted: str, stored: str) -> None:
    assert references.references(pasted) == stored


@given(st.text(max_size=200))
def test_what_is_stored_stays_as_it_is(pasted: str) -> None:
    for parse in (references.authors, references.references):
        once = parse(pasted)
        assert parse(once) == parse(parse(once))


def test_links_stand_in_dcors_order() -> None:
    stored = "https://example.org, arXiv:1507.00466, a book, bioRxiv:10.1101/1, doi:10.1/x"
    assert references.links(stored) == [
        ("doi:10.1/x", "https://doi.org/10.1/x"),
        ("bioRxiv:10.1101/1", "https://biorxiv.org/content/10.1101/1"),
        ("arXiv:1507.00466", "https://arxiv.org/abs/1507.00466"),
        ("https://example.org", "https://example.org"),
        ("a book", ""),
    ]


@given(st.text(max_size=200))
def test_a_reference_never_becomes_a_link_to_a_script(pasted: str) -> None:
    for _, address in references.links(references.references(pasted)):
        assert address == "" or address.startswith(("https://", "http://"))
