"""The key sheet: the private key of the backups on paper, with what a stranger has to do to get the data back."""

from __future__ import annotations

import re
from datetime import datetime

from appliance.backup.crypto import Keys

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

# public key: {recipient}
# signed-by: {signer}
#
# To restore on a new machine:
#   1. install the appliance: sudo ./installer/install.sh --bundle FILE
#   2. save the private key above (or this whole page) as key.txt
#   3. get everything back:
#        sudo dcor --data /data backup restore --from FOLDER --key key.txt
#   4. start it: sudo systemctl start dcor ; dcor inspect
# To check a backup with the key:
#        dcor backup verify --from FOLDER --key key.txt
# Without the appliance: the program age (https://age-encryption.org) opens
# the files; README.txt in every backup says how.
"""

_SIGNER = re.compile(r"^#\s*signed-by:\s*([0-9a-f]{64})\s*$", re.MULTILINE)


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
    return found[1] if found else None
