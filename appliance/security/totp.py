"""Codes of an authenticator app (TOTP, RFC 6238), recovery codes, and encryption of the secrets from which the codes are derived."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from appliance.model.problem import Problem
from appliance.security import sealing

#: File in `secrets/` with the key that encrypts the secrets of all accounts.
KEY = "totp.key"
#: Validity of a code [s], and tolerated clock skew in steps (RFC 6238, 5.2 and 6).
PERIOD, WINDOW = 30, 1
DIGITS = 6
RECOVERY_CODES = 10
_SECRET_SIZE = 20  # bytes; the length of SHA-1, which the apps use (RFC 4226, 4, R6)
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_secret() -> bytes:
    """Return a random secret of 160 bits."""
    return secrets.token_bytes(_SECRET_SIZE)


def text(secret: bytes) -> str:
    """Return the secret as it is typed into an app (base32, in groups of four)."""
    plain = base64.b32encode(secret).decode()
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def address(secret: bytes, account: str, issuer: str) -> str:
    """Return the otpauth:// address that the QR code for an app holds."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def code(secret: bytes, step: int) -> str:
    """Return the code of a step (number of whole periods since 1970)."""
    return _totp(secret).generate(step * PERIOD).decode()


def is_code(given: str) -> bool:
    """Has this the format of an app's code? Otherwise it can only be a recovery code."""
    return _CODE.fullmatch(_compact(given)) is not None


def matching_step(secret: bytes, given: str, *, now: float, after: int) -> int | None:
    """The step to which the code `given` belongs, None when it is not current or not later than `after`, the step last used."""
    typed, present, found = _compact(given).encode("utf-8", "replace"), int(now) // PERIOD, None
    for step in range(max(present - WINDOW, 0), present + WINDOW + 1):
        if hmac.compare_digest(code(secret, step).encode(), typed) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Return ten recovery codes of 80 random bits."""
    plain = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(one[start : start + 4] for start in range(0, 16, 4)) for one in plain]


def recovery_hash(user_id: str, given: str) -> bytes:
    """Return the hash under which a recovery code of this account is stored. 80 random bits need no slow hash."""
    return _hash("recovery", user_id, given)


def new_setup_code() -> str:
    """Return a setup code of 80 random bits, with which an app may be set up."""
    return new_recovery_codes()[0]


def setup_hash(user_id: str, given: str) -> bytes:
    """Return the hash under which a setup code of this account is stored."""
    return _hash("setup", user_id, given)


def seal(folder: Path, user_id: str, secret: bytes) -> bytes:
    """Return the secret encrypted for the database: it can be decrypted only with the key in `folder`, and for this account."""
    return sealing.seal(folder / KEY, secret, user_id)


def unseal(folder: Path, user_id: str, sealed: bytes) -> bytes:
    """Decrypt what `seal` returned. Raises Problem 503 when the key is missing or different."""
    secret = sealing.unseal(folder / KEY, sealed, user_id)
    if secret is not None:
        return secret
    raise Problem(
        503,
        "Service Unavailable",
        message=f"Codes cannot be checked: {folder / KEY} is missing or not the key that this account was set up with. Recovery codes "
        "work. Restore the file from a backup, or: sudo dcor user totp-off NAME",
    )


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), PERIOD)  # noqa: S303 - HMAC with SHA-1 is what the apps know  # nosec B303


def _hash(kind: str, user_id: str, given: str) -> bytes:
    return hashlib.sha256(
        f"dcor {kind} code 1\0{user_id}\0{_compact(given).lower()}".encode("utf-8", "replace")
    ).digest()


def _compact(given: str) -> str:
    return re.sub(r"[\s-]+", "", given[:100])
