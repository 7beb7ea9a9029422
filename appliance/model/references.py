"""Authors, DOI and references as people paste them, normalized for storage and display."""

from __future__ import annotations

import re


def authors(value: str) -> str:
    """Comma-separated names, each stripped, empty ones dropped, joined by ``", "``."""
    return ", ".join(_items(value))


def doi(value: str) -> str:
    """A DOI without the URL of its resolver."""
    if "://" in value:
        value = value.split("://", 1)[1].partition("/")[2]
    return value.strip(" /")


def is_doi(value: str) -> bool:
    """Whether this is a DOI: a prefix of digits and a suffix without blanks (the pattern that Crossref recommends, with any suffix)."""
    return re.fullmatch(r"10\.[0-9]{4,9}/\S+", value) is not None


def references(value: str) -> str:
    """Comma-separated references in their short forms (``doi:``, ``arXiv:``, ``bioRxiv:``, else unchanged)."""
    return ", ".join(_short(item) for item in _items(value))


def links(value: str) -> list[tuple[str, str]]:
    """Stored references as (text, address) pairs for display: DOIs, bioRxiv, arXiv, then the others.

    An address is empty when the reference is no link.
    """
    kinds = {"doi": "https://doi.org/", "bioRxiv": "https://biorxiv.org/content/", "arXiv": "https://arxiv.org/abs/"}
    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in (*kinds, "")}
    for item in _items(value):
        kind, _, rest = item.partition(":")
        if kind in kinds:
            found[kind].append((item, kinds[kind] + rest))
        else:
            found[""].append((item, item if item.startswith(("https://", "http://")) else ""))
    return [pair for pairs in found.values() for pair in pairs]


def _items(value: str) -> list[str]:
    return [item for item in (part.strip() for part in value.split(",")) if item]


def _short(item: str) -> str:
    lower = item.lower()
    if "doi.org/" in item:
        return "doi:" + item.split("doi.org/", 1)[1]
    if "arxiv.org/" in item:
        return "arXiv:" + item.rstrip("/").rpartition("/")[2]
    if lower.startswith("arxiv:"):
        return "arXiv:" + item[len("arxiv:") :].strip()
    if "biorxiv.org/" in item:
        rest = item.split("biorxiv.org/", 1)[1].removeprefix("content/")
        return "bioRxiv:" + rest.removesuffix("+html").removesuffix(".full.pdf")
    if lower.startswith("biorxiv:"):
        return "bioRxiv:" + item[len("biorxiv:") :].strip()
    return item
