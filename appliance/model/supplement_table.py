"""Supplementary metadata as a table: one line for each file, one column for each field, in the CSV of spreadsheet programs."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from appliance.model.csv_cells import inert
from appliance.model.messages import Message
from appliance.model.problem import Problem

#: Heading of the column with the file names.
FILE = "file"
_DELIMITERS = "\t;,"
_MOST_LISTED = 10
_MOST_FAULTS = 1000  # lines that are wrong, after which the others are not looked at


def decoded(data: bytes) -> str:
    """The text of a CSV file, in the encodings that spreadsheet programs write: UTF-8, UTF-16 with its mark, Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def written(lines: Iterable[Sequence[object]], delimiter: str) -> bytes:
    """Lines as CSV in UTF-8 with its mark, by which spreadsheet programs know the encoding; no cell is taken for a formula."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(
        [[inert(cell) for cell in line] for line in lines]
    )
    return codecs.BOM_UTF8 + out.getvalue().encode()


def parsed(text: str) -> list[list[str]]:
    """The cells of a table without empty lines. The first line tells the delimiter: tab, semicolon or comma.

    :raises Problem: 409 when it is no such table.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _refused(Message("This table cannot be read: a quotation mark is missing.")) from error
    return [[_plain(cell) for cell in line] for line in lines if any(cell.strip() for cell in line)]


def _plain(cell: str) -> str:
    """A cell without the apostrophe that `written` puts in front of a formula."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and inert(text[1:]) != text[1:] else text


def entered(text: str, files: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What a table says: resource id → field → text ("" for an empty cell).

    :param files: resource id by file name. :param columns: field by heading in lower case.
    :raises Problem: 409 with a sentence, when a column or file is unknown or named twice; nothing is left out silently.
    """
    lines = parsed(text)
    if not lines:
        raise _refused(Message("The table is empty."))
    heading = [columns.get(cell.casefold(), "" if cell.casefold() != FILE else FILE) for cell in lines[0]]
    while lines[0] and not lines[0][-1]:  # spreadsheet programs write empty columns at the end
        lines[0].pop()
    heading = heading[: len(lines[0])]
    if len(heading) > len(columns) + _MOST_LISTED:
        raise _refused(
            Message(
                "The table has %(count)s columns, more than there are fields. Download the table to see the fields.",
                count=len(heading),
            )
        )
    if FILE not in heading:
        raise _refused(Message("The table needs a header line and a column 'file' with the file names."))
    unknown = [cell for cell, key in zip(lines[0], heading, strict=True) if not key]
    if unknown:
        raise _refused(
            Message(
                "These columns are unknown: %(names)s. Download the table to see the headings.", names=_listed(unknown)
            )
        )
    times = Counter(heading)
    twice = [cell for cell, key in zip(lines[0], heading, strict=True) if times[key] > 1]
    if twice:
        raise _refused(Message("These columns appear more than once: %(names)s.", names=_listed(twice)))
    found: dict[str, dict[str, str]] = {}
    strange: list[str] = []
    repeated: list[str] = []
    place = heading.index(FILE)
    for line in lines[1:]:
        if len(strange) + len(repeated) > _MOST_FAULTS:
            break
        cells = line[: len(heading)] + [""] * (len(heading) - len(line))
        name = cells[place]
        if any(line[len(heading) :]):
            raise _refused(Message("The line of '%(name)s' has more cells than there are headings.", name=name))
        if name not in files:
            strange.append(name)
        elif files[name] in found:
            repeated.append(name)
        else:
            found[files[name]] = {key: cell for key, cell in zip(heading, cells, strict=True) if key != FILE}
    if strange:
        raise _refused(
            Message("These files are not among the measurements of this dataset: %(names)s.", names=_listed(strange))
        )
    if repeated:
        raise _refused(Message("These files have more than one line: %(names)s.", names=_listed(repeated)))
    return found


def _refused(message: str) -> Problem:
    return Problem(409, "Validation Error", message=message)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_LISTED
    return ", ".join(words[:_MOST_LISTED]) + (f" (+ {more})" if more > 0 else "")
