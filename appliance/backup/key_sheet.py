"""The key sheet: the private key of the backups on paper, with what a stranger has to do to get the data back."""

from __future__ import annotations

import re
from datetime import datetime

from appliance.backup.crypto import Keys
from appliance.model.messages import Message
from appliance.model.problem import invalid

_SHEET = """\
# KEY SHEET - DCOR backups of {hostname}
# made {date}
#
# Print this page twice, keep it in two safe places, and delete the file.
# Whoever has this key can read the backups. Without it they are lost:
# the server itself does not have it.
#
# Private key (its characters check each other):

{identity}
# signed-by: {signer}
#   (Keep both lines together: the second one tells genuine backups from
#   forged ones. It is a comment, as the program age wants the key alone.)
#
# public key: {recipient}
#
# To restore on a new machine:
#   1. install the appliance: sudo ./installer/install.sh --bundle FILE
#   2. save the two lines above (or this whole page) as key.txt
#   3. get everything back:
#        sudo dcor --data /data backup restore --from FOLDER --key key.txt
#   4. start it: sudo systemctl start dcor ; dcor inspect
# To check a backup with the key:
#        dcor backup verify --from FOLDER --key key.txt
# Without the appliance: the program age (https://age-encryption.org) opens
# the files; README.txt in every backup says how.
"""

_SIGNER = re.compile(r"\bsigned-by:\s*([0-9a-f]{64})\b", re.IGNORECASE)


def key_sheet(keys: Keys, signer: str, hostname: str, now: datetime) -> str:
    """Return the sheet as plain text of at most 80 columns; it is a key file at the same time."""
    return _SHEET.format(
        hostname=hostname,
        date=now.strftime("%Y-%m-%d"),
        identity=keys.identity,
        recipient=keys.recipient,
        signer=signer,
    )


def signer_of(text: str) -> str | None:
    """Return the server's signature key that a key sheet names, None for a bare key file."""
    found = _SIGNER.search(text)
    return found[1].lower() if found else None


def require_signer(text: str, signer: str | None = None) -> str:
    """The signature key that backups must have: `signer` if given, else what the key file says. Raises Problem 409 for none.

    A public key is no secret: whoever has it can make a backup that the private key opens.
    """
    named = signer.strip().lower() if signer is not None else signer_of(text)
    if named is None:
        raise invalid(
            message=Message(
                "The key file does not say which server signed the backups, so a forged backup could not be told "
                "from a genuine one. Add the line 'signed-by: …' from the key sheet to the key file, or pass it with "
                "--signer. --any-signer accepts any backup."
            )
        )
    if re.fullmatch("[0-9a-f]{64}", named) is None:
        raise invalid(
            message=Message(
                "'%(named)s' is not a signature key: a key has 64 hexadecimal digits; on the key sheet it follows "
                "'signed-by:'.",
                named=named,
            )
        )
    return named
