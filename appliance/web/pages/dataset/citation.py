"""How to cite a dataset: as text, BibTeX and RIS."""

from __future__ import annotations

import sqlite3

from appliance.model import times


def text(row: sqlite3.Row, site: str, address: str) -> str:
    """One paragraph: authors (year): title. Site, address."""
    where = f"https://doi.org/{row['doi']}" if row["doi"] else address
    return f"{row['authors']} ({_year(row)}): {row['title'] or row['name']}. {site}, {where}"


def bibtex(row: sqlite3.Row, site: str, address: str) -> str:
    """An entry of type ``misc``, which every style knows."""
    fields = {
        "author": " and ".join(_authors(row)),
        "title": row["title"] or row["name"],
        "year": _year(row),
        "howpublished": site,
        "url": address,
        "note": f"Dataset {row['id']}",
    }
    if row["doi"]:
        fields["doi"] = row["doi"]
    kept = {key: f"{{{_escape(value)}}}" for key, value in fields.items()}
    kept["title"] = f"{{{kept['title']}}}"  # styles leave its capitals alone
    body = ",\n".join(f"  {key} = {value}" for key, value in kept.items())
    return f"@misc{{{row['name']},\n{body}\n}}\n"


def ris(row: sqlite3.Row, site: str, address: str) -> str:
    """A record of type DATA."""
    lines = [
        ("TY", "DATA"),
        *(("AU", author) for author in _authors(row)),
        ("TI", row["title"] or row["name"]),
        ("PY", _year(row)),
    ]
    lines += [("DB", site), ("UR", address), ("ID", row["id"])]
    if row["doi"]:
        lines.append(("DO", row["doi"]))
    return "".join(f"{tag}  - {' '.join(str(value).split())}\r\n" for tag, value in [*lines, ("ER", "")])


def _authors(row: sqlite3.Row) -> list[str]:
    return [author for author in (part.strip() for part in row["authors"].split(",")) if author]


def _year(row: sqlite3.Row) -> str:
    return str(times.parse(row["created"]).year)


def _escape(value: str) -> str:
    """A brace could end the field, also where as many are opened as closed."""
    value = value.replace("{", "(").replace("}", ")")
    return " ".join(value.replace("\\", "/").split())
