"""Languages, numbers, Markdown, and small helpers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import appliance
from appliance.jobs import job_kinds
from appliance.model.messages import Message
from appliance.settings import options
from appliance.web.pages.frame import i18n, job_texts, markdown, problem_texts
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.paging import pages
from appliance.web.pages.frame.redirects import local_path
from appliance.web.translations import catalogues
from tests.support.furnished import House, Visitor


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    assert catalogues.untranslated(language) == []


def test_language_follows_the_browser_and_the_switch(house: House) -> None:
    visitor = Visitor(house.appliance, "ada", language="de-DE,de;q=0.9")
    page = visitor.page("/dataset")
    assert '<html lang="de"' in page
    assert "Datensätze" in page
    answer = visitor.post("/preferences", language="en", next="/dataset?q=x")
    assert answer.headers["Location"] == "/dataset?q=x"
    assert '<html lang="en"' in visitor.page("/dataset")


def test_theme_switch(house: House) -> None:
    visitor = Visitor(house.appliance)
    assert 'data-theme="auto"' in visitor.page("/")
    visitor.post("/preferences", theme="dark", next="//evil.example")
    assert 'data-theme="dark"' in visitor.page("/")


def test_german_pages_write_numbers_the_german_way(house: House) -> None:
    page = house.visitor("ada", "de").page(f"/dataset/{house.public['id']}/resource/{house.file['id']}")
    assert "0,06 µL/s" in page


@given(st.text(max_size=300))
def test_markdown_never_lets_code_through(source: str) -> None:
    html = str(markdown.render(source))
    assert not re.search(r"<(script|img|iframe|style|svg|object|form|input)\b", html, re.IGNORECASE)
    assert not re.search(r"<[^>]+\son\w+=", html)


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://example.org/t.png)",
        "<a onclick=x>y</a>",
        "[x](data:text/html;base64,xx)",
    ],
)
def test_markdown_refuses_known_tricks(source: str) -> None:
    html = str(markdown.render(source))
    assert 'href="javascript' not in html
    assert 'href="data:' not in html
    assert "<img" not in html
    assert "<script" not in html


def test_markdown_keeps_what_people_write() -> None:
    html = markdown.render("# Head\n\n- a\n- **b**\n\n| c | d |\n|---|---|\n| 1 | 2 |\n\n[e](https://example.org)")
    for part in (
        "<h3>Head</h3>",
        "<strong>b</strong>",
        "<td>1</td>",
        '<a href="https://example.org" rel="noopener noreferrer">e</a>',
    ):
        assert part in html


@given(st.text(max_size=60))
def test_redirects_stay_here(target: str) -> None:
    path = local_path(target)
    assert path.startswith("/")
    assert not path.startswith("//")
    assert "\\" not in path


def test_paging_shows_ends_and_neighbours() -> None:
    texts = [entry["text"] for entry in pages(1000, 20, 25, lambda number: f"?page={number}")]
    assert texts == ["", "1", "…", "23", "24", "25", "26", "27", "…", "50", ""]
    assert pages(20, 20, 1, str) == []


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's language is German."""
    monkeypatch.setattr(i18n, "language", lambda: "de")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The file is truncated: its end is missing.", "Die Datei ist abgeschnitten: Ihr Ende fehlt."),
        (
            Message("the latest complete backup is %(age)s days old", age="3.5"),
            "die letzte vollständige Sicherung ist 3,5 Tage alt",
        ),
        (
            Message("%(old)s old files (%(total)s MB) in %(tmp)s", old=12, total=3.0, tmp="/srv/dcor/tmp"),
            "12 alte Dateien (3,0 MB) in /srv/dcor/tmp",
        ),
        (
            Message(
                "The %(what)s '%(name)s' was left out: %(reason)s.",
                what=Message("log"),
                name="x",
                reason=Message("it is not a list of text lines"),
            ),
            "Ausgelassen: das Log „x“ (keine Liste von Textzeilen).",
        ),
        (
            Message("The backup failed: %(error)s", error=OSError("the volume is gone")),
            "Die Sicherung ist fehlgeschlagen: the volume is gone",
        ),
        ("something that nobody knows: %(x)s 100 %", "something that nobody knows: %(x)s 100 %"),
        ("", ""),
    ],
)
def test_what_checks_and_jobs_say_in_english_is_translated(german: None, said: str, shown: str) -> None:
    assert translate(said) == shown


@given(st.text(max_size=80), st.text(max_size=20))
def test_unknown_words_in_known_sentences_do_no_harm(name: str, reason: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(i18n, "language", lambda: "de")
        shown = translate(Message("%(name)s is damaged: %(error)s.", name=name, error=reason))
        assert shown == f"{_comma(name)} ist beschädigt: {_comma(reason)}."


def _comma(text: str) -> str:
    return text.replace(".", ",") if re.fullmatch(r"-?\d+\.\d+", text) else text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Missing value", "Pflichtfeld"),
        (Message("Please choose a license_id: %(ids)s", ids=["CC0-1.0"]), "Wählen Sie eine Lizenz."),
        (Message("Invalid value for '%(key)s': '%(value)s'!", key="sp:a:b", value="<x>"), "„<x>“"),
        (Message("User %(user)s not authorized to %(what)s", user="ada", what="edit package x"), "Sie"),
        (Message("Must be at least %(count)s characters long", count=2), "2 Zeichen"),
    ],
)
def test_what_upstream_says_has_wordings_of_the_pages(german: None, said: str, shown: str) -> None:
    assert shown in problem_texts.translated(said)
    assert problem_texts.translated(said) != said


def test_every_wording_of_the_pages_can_arise() -> None:
    """A text that the domain no longer says would be looked up in vain."""
    code = "\n".join(
        path.read_text("utf-8")
        for path in Path(appliance.__file__).parent.rglob("*.py")
        if path.name != "problem_texts.py"
    )
    said = {text for text in problem_texts.WORDINGS if repr(text)[1:-1] not in code and text not in code}
    assert said == set()


def test_every_check_is_shown_in_german(house: House) -> None:
    """No sentence of the checks of this very appliance is left in English."""
    page = house.visitor("root", "de").page("/admin/checks")
    english = house.visitor("root").page("/admin/checks")
    sentences = set(re.findall(r'<p class="small[^"]*">([^<]+)</p>', english)) | set(
        re.findall(r"<strong>([^<]+)</strong>", english)
    )
    said = {text for text in sentences if not text.startswith(("dcor ", "sudo ", "Inodes"))}
    assert said
    assert {text for text in said if f">{text}<" in page} == set()


def test_settings_are_explained_in_german(house: House) -> None:
    page = house.visitor("root", "de").page("/admin/settings")
    assert "Größte Datei, die angenommen wird" in page
    assert {option.metadata["doc"] for option in options().values() if option.metadata["doc"] in page} == set()


def test_kinds_of_jobs_have_names() -> None:
    assert set(job_kinds.all_()) <= set(job_texts.KINDS)


def test_values_of_facets_are_words_of_the_language(house: House) -> None:
    page = house.visitor("ada", "de").page("/dataset?region=channel")
    assert re.search(r'class="chip chip-on"[^>]*>\s*(?:<svg.*?</svg>)?\s*Kanal', page)


def test_a_proportion_and_an_origin_are_not_called_like_a_button_or_a_date(house: House) -> None:
    """English has one word for both, so each has a text of its own."""
    root = house.visitor("root", "de")
    assert ">Anteil<" in root.page("/admin/storage")
    assert '<th scope="col">Herkunft</th>' in root.page("/admin/settings")
