"""`.dcor-access` files: a user's token and the server's certificate in one encrypted file, as DCOR-Aid reads it."""

from __future__ import annotations

import io
import re
import secrets
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePath

from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.security import passwords, zipcrypto

SUFFIX = ".dcor-access"
TOKEN_MEMBER = "api_key.txt"  # noqa: S105 - a file name
CERTIFICATE_MEMBER = "server.cert"
#: A passphrase that somebody chose has at least this length; generated ones have 140 random bits.
SHORTEST_CHOSEN = 12

# No letters that look alike in print.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 7, 4


@dataclass(frozen=True, slots=True)
class AccessFile:
    """The content of an access file."""

    token: str = field(repr=False)
    certificate: bytes

    def encrypt(self, passphrase: str) -> bytes:
        """Return the file's bytes, different at every call. Raises Problem 409 for a passphrase that is too weak."""
        problems = weaknesses(passphrase)
        if problems:
            raise invalid({"passphrase": problems})
        members = {CERTIFICATE_MEMBER: self.certificate, TOKEN_MEMBER: self.token.encode("ascii")}
        data = zipcrypto.archive(members, passphrase)
        if read(data, passphrase) != self:
            raise RuntimeError("The access file does not read back.")
        return data


def read(data: bytes, passphrase: str) -> AccessFile:
    """Return what an access file holds. Raises Problem 409 when it is none, is damaged, or the passphrase is wrong."""
    pwd = passphrase.encode("utf-8")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            certificate = archive.read(CERTIFICATE_MEMBER, pwd=pwd)
            token = archive.read(TOKEN_MEMBER, pwd=pwd).decode("ascii").strip()
    except (RuntimeError, zlib.error) as error:
        raise invalid(message=Message("The passphrase is wrong.")) from error
    except (zipfile.BadZipFile, KeyError, NotImplementedError, UnicodeDecodeError, EOFError) as error:
        raise invalid(
            message=Message("This is not an access file, it is damaged, or the passphrase is wrong.")
        ) from error
    return AccessFile(token, certificate)


def new_passphrase() -> str:
    """Return a new passphrase of 140 random bits, in groups that can be read out over the telephone."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def weaknesses(passphrase: str) -> list[str]:
    """Return what speaks against a chosen passphrase, in sentences; empty = good.

    Whoever gets hold of the file can try passphrases at any speed, so the floor is higher than for passwords.
    """
    if len(passphrase) < SHORTEST_CHOSEN:
        return [
            Message(
                "The passphrase must have at least %(least)s characters; preferably let one be generated.",
                least=SHORTEST_CHOSEN,
            )
        ]
    if any(character in "\r\n\0" for character in passphrase):
        return [Message("The passphrase must not contain line breaks.")]
    return passwords.weaknesses(passphrase)


def file_name(user: str, host: str) -> str:
    """Return a telling file name, for example `jane_dcor.clinic.example.dcor-access`."""
    safe = [re.sub(r"[^A-Za-z0-9.-]+", "-", PurePath(part).name).strip(".-") for part in (user, host)]
    return "_".join(part for part in safe if part) + SUFFIX
