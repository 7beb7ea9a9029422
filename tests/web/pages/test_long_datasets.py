"""Datasets with hundreds of files and dozens of tags stay readable."""

from __future__ import annotations

import re
from pathlib import Path

from appliance.web.pages.frame import format as show
from tests.support.furnished import House


def names(page: str) -> list[str]:
    """File names on a dataset's page."""
    return re.findall(r'<h3><a href="/dataset/[^"]+/resource/[^"]+">([^<]+)</a>', page)


def test_many_files_are_paged_filtered_and_sorted(house: House, tmp_path: Path) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab", title="Of many files", private=True, tags=[{"name": f"tag{n:02d}"} for n in range(60)])[
        "id"
    ]
    note = tmp_path / "note.txt"
    for number in range(1, 62):
        note.write_text("x" * number)
        ada.add(made, note, f"M{number}.txt")
    visitor = house.visitor("ada")
    page = visitor.page(f"/dataset/{made}")
    assert names(page) == [f"M{number}.txt" for number in range(1, 51)]
    assert names(visitor.page(f"/dataset/{made}?page=2")) == [f"M{number}.txt" for number in range(51, 62)]
    assert names(visitor.page(f"/dataset/{made}?page=99"))[-1] == "M61.txt"
    assert names(visitor.page(f"/dataset/{made}?file=m6")) == ["M6.txt", "M60.txt", "M61.txt"]
    assert names(visitor.page(f"/dataset/{made}?sort=largest"))[0] == "M61.txt"
    assert names(visitor.page(f"/dataset/{made}?sort=name"))[:3] == ["M1.txt", "M2.txt", "M3.txt"]
    assert "No matching files" in visitor.page(f"/dataset/{made}?file=nothing")
    assert (
        len(
            re.findall(
                'class="chip"', page.split("<details", 1)[0] + page.split("About this dataset")[1].split("<details")[0]
            )
        )
        >= 15
    )
    assert "All 60 tags" in page


def test_small_numbers_have_real_exponents() -> None:
    assert show.number(8.69e-5) == "8.69·10⁻⁵"
    assert show.plain_number(1.5e-7) == "1.5·10⁻⁷"
    assert show.plain_number(0.04) == "0.04"


def test_moments_name_their_zone_and_can_be_shown_in_the_readers(house: House) -> None:
    page = house.visitor("ada").page(f"/dataset/{house.public['id']}")
    assert re.search(r'<time datetime="20[0-9-]+T[0-9:]+Z" data-local>[^<]+ UTC</time>', page)
