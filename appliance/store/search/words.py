"""How text becomes words: the same folding, splitting and stemming for what is stored and for what is asked.

Everything ends as lower-case words of letters and digits, so that the index's own tokenizer has nothing left to decide.
Both languages of our users are folded onto each other: ``Zähler``, ``Zaehler`` and ``zahler`` are one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_LETTERS = str.maketrans("øØæÆœŒłŁđĐıµμ", "oOaAoOlLdDiuu") | {ord("ß"): "ss", ord("ẞ"): "SS"}
# Written-out umlauts, as the German2 stemmer has them: not after q ("frequency").
_WRITTEN_OUT = re.compile(r"(?<!q)([aou])e")
# Parts of a word: CellCarrierB2 → Cell Carrier B 2. Characters of scripts without spaces stand alone.
_ALONE = r"\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0002a6df"
_PARTS = re.compile(rf"[{_ALONE}]|\d+|[^\W\d_{_ALONE}]+")
_CASE_CHANGE = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_LONGEST = 64  # characters of a word; longer ones (encoded data in a description) are cut
_LONGEST_CHUNK = 2000
#: Only short pieces are kept for the next time, so that what is kept is bounded in bytes whatever somebody sends: at most about
#: 2 kB for each of so many pieces.
_LONGEST_KEPT = 32
_KEPT = 16384
_MOST_JOINED = 8  # parts; longer names are found by their parts alone

_ENGLISH = "a an and are as at by for from in into is it of on or the to with"
_GERMAN = "am auf aus bei das dem den der des die ein eine einer eines für fur im ist mit oder und von zu zum zur"
STOP_WORDS = frozenset(f"{_ENGLISH} {_GERMAN}".split())


def fold(text: str) -> str:
    """`text` without case, accents, umlauts and ligatures: ``"Größe"`` → ``"grosse"``."""
    folded = (text if text.isascii() else _plain(text)).lower()
    return _WRITTEN_OUT.sub(r"\1", folded) if "e" in folded else folded


def _plain(text: str) -> str:
    """`text` without accents and ligatures, case kept (a change of case separates parts of a word)."""
    decomposed = unicodedata.normalize("NFKD", _bare(text.translate(_LETTERS)))
    return _bare(decomposed)


def _bare(text: str) -> str:
    """`text` without combining marks. (Sorting a long run of them, as normalizing does, takes the square of its length.)"""
    return "".join(character for character in text if not unicodedata.combining(character))


def parts(chunk: str) -> list[str]:
    """The folded, stemmed parts of a piece of text without spaces: ``"RT-DC_20µm"`` → ``["rt", "dc", "20", "um"]``."""
    return [stemmed for _, stemmed in _parts(chunk[:_LONGEST_CHUNK])]


def whole(chunk: str) -> str:
    """All letters and digits of a piece without spaces as one folded word: ``"RT-DC"`` → ``"rtdc"``."""
    plain = chunk if chunk.isascii() else _plain(chunk)
    return fold("".join(_PARTS.findall(plain)))[:_LONGEST]


def _parts(chunk: str) -> tuple[tuple[str, str], ...]:
    """Each part of a piece: (folded, stemmed)."""
    return _known_parts(chunk) if len(chunk) <= _LONGEST_KEPT else _split(chunk)


def _split(chunk: str) -> tuple[tuple[str, str], ...]:
    plain = chunk if chunk.isascii() else _plain(chunk)
    found = []
    for match in _PARTS.findall(plain):
        for part in (match,) if match.islower() or match.isdigit() else _CASE_CHANGE.split(match):
            folded = fold(part)[:_LONGEST]
            if folded.isalnum():
                found.append((folded, stem(folded)))
    return tuple(found)


_known_parts = lru_cache(maxsize=_KEPT)(_split)


def _indexed(chunk: str) -> tuple[str, str]:
    """A piece as it is stored: its stemmed parts with spaces between, and the whole if it was split."""
    return _known_indexed(chunk) if len(chunk) <= _LONGEST_KEPT else _joined(chunk)


def _joined(chunk: str) -> tuple[str, str]:
    found = _parts(chunk)
    joined = whole(chunk) if 1 < len(found) <= _MOST_JOINED and len(chunk) <= _LONGEST else ""
    return " ".join([stemmed for _, stemmed in found]), joined


_known_indexed = lru_cache(maxsize=_KEPT)(_joined)


def indexed(text: str) -> str:
    """`text` as it is stored in the index: its stemmed words, then in one word what was split.

    Those come last, so that they do not separate the words of a phrase.
    """
    stems: list[str] = []
    joined: dict[str, None] = {}
    for chunk in text.split():
        found, together = _indexed(chunk if len(chunk) <= _LONGEST_CHUNK else chunk[:_LONGEST_CHUNK])
        if found:
            stems.append(found)
        if together:
            joined[together] = None
    return " ".join([*stems, *joined])


def chunks(text: str) -> Iterator[str]:
    """The pieces of `text` between spaces that hold at least one letter or digit."""
    return (chunk for chunk in text.split() if _parts(chunk[:_LONGEST_CHUNK]))


_SUFFIXES = ("ern", "em", "en", "er", "es", "e", "s")
_DERIVATIONS = ("abiliti", "ation", "ment")
_ENDINGS = ("ability", "ations", "ements", "ments", "ing", "ed", "ies", "y", *_SUFFIXES)
_SHORTEST_BEGUN = 4


def begun_stems(word: str) -> list[str]:
    """Stems of words that begin with the folded `word`, where it ends within their ending: measureme → measur."""
    found: dict[str, None] = {}
    for cut in range(_SHORTEST_BEGUN, len(word)):
        rest = word[cut:]
        if any(ending.startswith(rest) for ending in _ENDINGS):
            found[stem(word[:cut])] = None
    return [one for one in found if one != word and len(one) >= _SHORTEST_BEGUN]


@lru_cache(maxsize=_KEPT)
def stem(word: str) -> str:
    """The light common stem of a folded English or German word: cells → cell, Zellen → zell, images/imaging → imag.

    Strips inflections only, and only from words that stay long enough; numbers are left alone.
    """
    if len(word) < 4 or word[0].isdigit():
        return word
    at = word.find("lys")
    if at >= 0 and len(word) - at <= 6 and len(word) > 4:  # analysis, analyses, Analyse, Hämolyse, lysed
        return word[: at + 3]
    for _ in range(3):
        shorter = _strip(word)
        if shorter == word:
            return word
        word = shorter
    return word


def _strip(word: str) -> str:
    """One round of `stem`."""
    size = len(word)
    if size >= 5 and word.endswith("ies"):
        return word[:-2]
    if size >= 5 and word[-1] == "y" and word[-2] not in "aeiou":
        return word[:-1] + "i"
    for suffix in _DERIVATIONS:
        if word.endswith(suffix) and size - len(suffix) >= 5:
            return word[: -len(suffix)]
    if size >= 7 and word.endswith("ing") and re.search("[aeiouy]", word[:-3]):
        return word[:-3]
    if size >= 6 and word.endswith("ed") and re.search("[aeiouy]", word[:-2]):
        return word[:-2]
    for suffix in _SUFFIXES:
        rest = size - len(suffix)
        if word.endswith(suffix) and rest >= (3 if suffix == "s" else 4) and not (suffix == "s" and word[-2] == "s"):
            return word[: -len(suffix)]
    return word
