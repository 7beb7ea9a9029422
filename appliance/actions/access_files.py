"""Access files for users: a new token and the server's certificate, encrypted; individually or for a whole course."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pyzipper

from appliance.actions import accounts
from appliance.actions.site import Site
from appliance.backup import crypto as backup_crypto
from appliance.model import names
from appliance.model.csv_cells import inert
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import Viewer
from appliance.security import access_file
from appliance.store import audit, users
from appliance.tls import certificate

#: Time within which an access file must be used for the first time; afterwards its token is invalid.
FIRST_USE = timedelta(days=14)
EXPIRES = timedelta(days=180)
_NAME_COLUMNS = ("name", "user")


@dataclass(frozen=True, slots=True)
class Made:
    """An access file: its name and bytes, the passphrase that opens it, and the public id of the token in it."""

    user: str
    file_name: str
    data: bytes = field(repr=False)
    passphrase: str = field(repr=False)
    token_id: str = ""


def make(
    site: Site,
    viewer: Viewer,
    user: str,
    *,
    passphrase: str | None = None,
    expires: timedelta | None = EXPIRES,
    first_use: timedelta | None = FIRST_USE,
    scope: str | None = "write",
) -> Made:
    """Make an access file for `user` with a new token. Without `passphrase` one is generated.

    Takes 0.3 s. Raises Problem 403 or 404 as `accounts.create_token` does, 409 for a weak passphrase; then no token is
    left behind.
    """
    phrase = passphrase if passphrase is not None else access_file.new_passphrase()
    problems = access_file.weaknesses(phrase)
    if problems:
        raise invalid({"passphrase": problems})
    with site.db.read() as conn:
        if users.find(conn, user) is None:
            raise not_found(Message("There is no user '%(user)s'.", user=user))
    chain = certificate.load_chain(site.settings.certificate)
    token, token_id = accounts.create_token(
        site, viewer, user, f"access file for {site.settings.server.hostname}", scope=scope, expires=expires, first_use=first_use
    )  # fmt: skip
    data = access_file.AccessFile(token, certificate.chain_pem(chain)).encrypt(phrase)
    with site.db.write() as tx:
        audit.add(tx, viewer, "access.create", "token", token_id)
    host = certificate.common_name(chain[0].subject)
    return Made(user, access_file.file_name(user, host), data, phrase, token_id)


def read_list(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV list of users: columns `name`, and for new accounts `email`, `fullname`.

    Comma or semicolon, as spreadsheets write it. Raises Problem 409 with every faulty line.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text.lstrip("\ufeff")), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    column = next(
        (name for name in _NAME_COLUMNS if name in [heading.strip().lower() for heading in reader.fieldnames or []]),
        None,
    )
    if column is None:
        raise invalid(
            message=Message(
                "The list needs a header line with the column 'name' (and 'email', 'fullname' for new accounts)."
            )
        )
    rows, problems, seen = [], [], set()
    for number, raw in enumerate(reader, 2):
        row = {
            (key or "").strip().lower(): (value or "").strip()
            for key, value in raw.items()
            if isinstance(value, str | None)
        }
        name = row.get(column, "")
        try:
            names.require_name(name)
        except Problem as problem:
            problems.append(f"Line {number}: {problem}")
        if name in seen:
            problems.append(f"Line {number}: {name} is listed twice.")
        seen.add(name)
        rows.append({"name": name, "email": row.get("email", ""), "fullname": row.get("fullname", "")})
    if problems or not rows:
        raise invalid({"list": problems or [Message("The list contains no users.")]})
    return rows


def make_all(
    site: Site,
    viewer: Viewer,
    rows: Sequence[Mapping[str, str]],
    *,
    create_users: bool = False,
    expires: timedelta | None = EXPIRES,
    first_use: timedelta | None = FIRST_USE,
) -> list[Made]:
    """Make an access file for every user in `rows` (of `read_list`).

    Unknown users are an error before anything is made, or get an account with `create_users` (then they need an
    e-mail address); removed ones are an error. Raises Problem 409.
    """
    with site.db.read() as conn:
        found = {row["name"]: users.find(conn, row["name"]) for row in rows}
    removed = [name for name, user in found.items() if user is not None and user["state"] == "deleted"]
    if removed:
        raise invalid({"list": [Message("The account '%(name)s' was removed.", name=name) for name in removed]})
    unknown = [row for row in rows if found[row["name"]] is None]
    if unknown and not create_users:
        raise invalid({"list": [Message("There is no user '%(name)s'.", name=row["name"]) for row in unknown]})
    without = [f"'{row['name']}' is new and needs an e-mail address." for row in unknown if not row["email"]]
    if without:
        raise invalid({"list": without})
    for row in unknown:
        accounts.create(site, viewer, {**row, "password": None})
    return [make(site, viewer, row["name"], expires=expires, first_use=first_use) for row in rows]


def passphrase_list(made: Sequence[Made]) -> str:
    """Return the passphrases as CSV: user, file, passphrase."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["user", "file", "passphrase"])
    writer.writerows([inert(one.user), inert(one.file_name), one.passphrase] for one in made)
    return buffer.getvalue()


def sealed_list(
    made: Sequence[Made], *, recipient: str | None = None, passphrase: str | None = None
) -> tuple[str, bytes]:
    """Return `(file name, bytes)` of the list of passphrases, encrypted to an age key or in an AES-256 ZIP.

    Raises Problem 409 unless exactly one of `recipient` (age1…) and `passphrase` (12 characters or more) is given.
    """
    text = passphrase_list(made).encode()
    if recipient is not None and passphrase is None:
        return "passphrases.csv.age", backup_crypto.seal_bytes(text, [recipient])
    if passphrase is None or recipient is not None:
        raise invalid(
            message=Message("Encrypt the list of passphrases either to a public key or with a passphrase, not both.")
        )
    problems = access_file.weaknesses(passphrase)
    if problems:
        raise invalid({"passphrase": problems})
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        archive.writestr("passphrases.csv", text)
    return "passphrases.zip", buffer.getvalue()
