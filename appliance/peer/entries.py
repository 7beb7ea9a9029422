"""What another DCOR tells of its users, circles, collections, datasets and files, checked before anything is made of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NoReturn

from appliance.model import extras, media, names, roles, times
from appliance.model.problem import Problem
from appliance.model.values import as_bool, nfc, text_error
from appliance.peer.client import printable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ETAG = re.compile(r"[0-9a-f]{32}(-[0-9]{1,5})?")
_DC = re.compile(r"dc:[a-z_ ]{1,40}:[A-Za-z0-9_ .,()+-]{1,100}")
_SP = re.compile(r"sp:[a-z_ ]{1,40}:[a-z_ ]{1,100}")
_LONGEST_TEXT, _LONGEST_VALUE = 200_000, 2_000
#: More than these of one thing are not taken from an answer.
_MOST_FILES, _MOST_TAGS, _MOST_COLLECTIONS, _MOST_METADATA = 20_000, 200, 200, 1_000
_LARGEST = 1 << 50  # [bytes]
_CAPACITIES = ("member", "editor")


class Unfit(Exception):
    """Something that cannot be taken; the message says why, in printable characters."""


@dataclass(frozen=True, slots=True)
class PeerUser:
    """An account there, without any credential."""

    id: str
    name: str
    fullname: str
    email: str
    about: str
    image_url: str
    state: str
    sysadmin: bool
    created: str | None


@dataclass(frozen=True, slots=True)
class PeerCommunity:
    """A circle or collection (`kind`) there. :ivar extras: JSON list of {"key", "value"}; :ivar members: (user id, user name, role)."""

    kind: str
    id: str
    name: str
    title: str
    description: str
    image_url: str
    extras: str
    created: str | None
    members: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PeerFile:
    """A file there. :ivar size: [bytes], None when not told; :ivar sha256: None when not told.

    :ivar supplements: ``sp:section:key`` → value, :ivar dc: ``dc:section:key`` → value, :ivar extras: other fields, all as JSON text.
    """

    id: str
    name: str
    size: int | None
    sha256: str | None
    etag: str | None
    description: str | None
    format: str
    url_type: str
    supplements: str
    dc: str
    extras: str
    created: str | None
    last_modified: str | None
    metadata_modified: str | None


@dataclass(frozen=True, slots=True)
class PeerDataset:
    """A dataset there. :ivar extras: JSON list of {"key", "value"}; :ivar tags: (id, name); :ivar collections: (id, name)."""

    id: str
    name: str
    title: str
    notes: str
    authors: str
    doi: str
    references: str
    license_id: str
    extras: str
    private: bool
    state: str
    creator_id: str
    circle_id: str
    circle_name: str
    created: str
    modified: str
    tags: tuple[tuple[str, str], ...]
    collections: tuple[tuple[str, str], ...]
    files: tuple[PeerFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)


def digest(entry: PeerUser | PeerCommunity | PeerDataset) -> str:
    """A fingerprint of all that was told, to see whether it has changed since."""
    text = json.dumps(asdict(entry), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def user(data: Any) -> PeerUser:
    """An account. Raises Unfit."""
    found = _object(data, "account")
    return PeerUser(
        _id(found, "account"),
        _name(found, "account"),
        _text(found, "fullname", 200),
        _text(found, "email", 254),
        _text(found, "about", 20_000),
        _image(found),
        _text(found, "state", 20) or "active",
        found.get("sysadmin") is True,
        _moment(found, "created"),
    )


def community(kind: str, data: Any) -> PeerCommunity:
    """A circle or collection with its members. Raises Unfit."""
    found = _object(data, kind)
    members = []
    for one in _list(found, "users", 100_000):
        member = _object(one, "member")
        role = str(member.get("capacity") or member.get("role") or "").lower()
        if role in roles.ROLES and member.get("state", "active") != "deleted":
            members.append((_id(member, "member"), _text(member, "name", 100), role))
    return PeerCommunity(
        kind,
        _id(found, kind),
        _name(found, kind),
        _text(found, "title", 20_000),
        _text(found, "description", 20_000),
        _image(found),
        _extras(found),
        _moment(found, "created"),
        tuple(sorted(members)),
    )


def collaborators(data: Any) -> list[tuple[str, str, str | None]]:
    """With whom a dataset is shared: (user id, member or editor, moment). What is none of these is left out."""
    found = []
    for one in data if isinstance(data, list) else []:
        if isinstance(one, Mapping) and names.is_id(one.get("user_id")) and one.get("capacity") in _CAPACITIES:
            found.append((one["user_id"], one["capacity"], _moment(one, "modified")))
    return found


def dataset(data: Any) -> PeerDataset:
    """A dataset with its files. Raises Unfit."""
    found = _object(data, "dataset")
    state = str(found.get("state"))
    if state not in ("draft", "active"):
        _unfit(f"its state is '{printable(state, 30)}'")
    circle = _object(found.get("organization"), "circle")
    created = _moment(found, "metadata_created")
    files = tuple(_file(one) for one in _list(found, "resources", _MOST_FILES))
    for what, given in (("ids", [one.id for one in files]), ("names", [one.name for one in files])):
        if len(set(given)) != len(given):
            _unfit(f"several of its files have the same {what}")
    try:
        private = as_bool(found.get("private"))
    except ValueError:
        _unfit("whether it is private is not said clearly")
    return PeerDataset(
        _id(found, "dataset"),
        _name(found, "dataset"),
        _text(found, "title", 2_000),
        _text(found, "notes", _LONGEST_TEXT),
        _text(found, "authors", 20_000),
        _text(found, "doi", 500),
        _text(found, "references", 20_000),
        _text(found, "license_id", 100),
        _extras(found),
        private,
        state,
        found["creator_user_id"] if names.is_id(found.get("creator_user_id")) else "",
        _id(circle, "circle"),
        _name(circle, "circle"),
        created or times.now(),
        _moment(found, "metadata_modified") or created or times.now(),
        tuple(sorted(_tag(one) for one in _list(found, "tags", _MOST_TAGS))),
        tuple(sorted(_reference(one) for one in _list(found, "groups", _MOST_COLLECTIONS))),
        files,
    )


def _file(data: Any) -> PeerFile:
    found = _object(data, "file")
    name = found.get("name")
    if not isinstance(name, str) or not name.isprintable() or "/" in name or not name.strip(". ") or len(name) > 255:
        _unfit(f"the name of a file cannot be used: '{printable(name, 80)}'")
    if not _is_stored(found):
        _unfit(f"{printable(name, 80)} is a link, not a file")
    size, sha256, etag = found.get("size"), found.get("sha256"), found.get("etag")
    if isinstance(size, str) and size.isascii() and size.isdigit():
        size = int(size[:20])
    if size is not None and not (isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _LARGEST):
        _unfit(f"the size of {printable(name, 80)} is not a number of bytes")
    label = media.kind(name)[1]
    measurement = names.is_measurement(name) and found.get("format") == "RT-FDC"
    return PeerFile(
        _id(found, "file"),
        name,
        size,
        sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None,
        etag if isinstance(etag, str) and _ETAG.fullmatch(etag) else None,
        _text(found, "description", 20_000) if found.get("description") is not None else None,
        "RT-FDC" if measurement else label,
        "s3_upload" if found.get("url_type") == "s3_upload" else "upload",
        _metadata(found, _SP),
        _metadata(found, _DC),
        json.dumps(_own_fields(found), ensure_ascii=False),
        _moment(found, "created"),
        _moment(found, "last_modified"),
        _moment(found, "metadata_modified"),
    )


def _is_stored(found: Mapping[str, Any]) -> bool:
    """Does the server keep the file itself? CKAN also has links. What has no type yet is a file whose jobs have not run."""
    kind = found.get("url_type")
    if kind in ("upload", "s3_upload"):
        return True
    return not kind and (found.get("s3_available") is True or bool(found.get("sha256")))


def _metadata(found: Mapping[str, Any], keys: re.Pattern[str]) -> str:
    """The values of all keys of a form, as JSON text; what is no plain value is left out."""
    values: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(key, str) and keys.fullmatch(key) and _plain(value) and len(values) < _MOST_METADATA:
            values[key] = value
    return json.dumps(values, ensure_ascii=False)


def _extras(found: Mapping[str, Any]) -> str:
    """The pairs that scripts have added, in the form in which they are stored. Raises Unfit."""
    listed = [one for one in _list(found, "extras", _MOST_METADATA) if _object(one, "extra").get("state") != "deleted"]
    try:
        return extras.parsed(listed)
    except Problem as problem:
        _unfit(f"its extra fields cannot be taken: {printable(problem)}")


def _own_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that scripts have added to a file. Raises Unfit."""
    try:
        return extras.of_file({key: value for key, value in found.items() if value not in (None, "")})
    except Problem as problem:
        _unfit(f"the extra fields of {printable(found.get('name'), 80)} cannot be taken: {printable(problem)}")


def _plain(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < 1 << 63
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) and len(value) <= _LONGEST_VALUE and "\0" not in value


def _tag(data: Any) -> tuple[str, str]:
    found = _object(data, "tag")
    name = found.get("name")
    if errors := names.tag_errors(name):
        _unfit(printable(errors[0]))
    return (found["id"] if names.is_id(found.get("id")) else ""), nfc(str(name))


def _reference(data: Any) -> tuple[str, str]:
    found = _object(data, "collection")
    return _id(found, "collection"), _name(found, "collection")


# --- values ---------------------------------------------------------------------------------------------------------


def _unfit(reason: str) -> NoReturn:
    raise Unfit(reason)


def _object(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        _unfit(f"the answer holds no {what} where one should be")
    return data


def _list(found: Mapping[str, Any], key: str, most: int) -> Sequence[Any]:
    value = found.get(key) or []
    if not isinstance(value, list):
        _unfit(f"'{key}' is not a list")
    if len(value) > most:
        _unfit(f"'{key}' has {len(value)} entries; at most {most} are taken")
    return value


def _id(found: Mapping[str, Any], what: str) -> str:
    if not names.is_id(found.get("id")):
        _unfit(f"the id of the {what} is none: '{printable(found.get('id'), 50)}'")
    return str(found["id"])


def _name(found: Mapping[str, Any], what: str) -> str:
    try:
        return names.require_name(found.get("name"))  # type: ignore[arg-type]  # it looks at the type
    except Problem:
        _unfit(f"the name of the {what} cannot be used here: '{printable(found.get('name'), 80)}'")


def _text(found: Mapping[str, Any], key: str, longest: int) -> str:
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        _unfit(f"'{key}' is not text of at most {longest} characters")
    try:
        text = nfc(value)
    except Problem as problem:
        _unfit(f"'{key}': {problem}")
    if "\0" in text:
        _unfit(f"'{key}': {text_error(text)}")
    return text if text.strip() else ""


def _image(found: Mapping[str, Any]) -> str:
    """The address of a picture, where it is one of the web."""
    value = found.get("image_url")
    fits = isinstance(value, str) and len(value) <= 2_000 and value.isprintable()
    return str(value) if fits and str(value).startswith(("https://", "http://")) else ""


def _moment(found: Mapping[str, Any], key: str) -> str | None:
    """A moment in the one form that is stored (naive UTC with microseconds), None for what is none."""
    value = found.get(key)
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return times.text(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None
