"""Encryption of small secrets in the database with a key of the data root (AES-256-GCM)."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.security.secrets import load_or_create, private_folder

_NONCE_SIZE = 12  # bytes; NIST SP 800-38D, 8.2


def seal(key: Path, plain: bytes, about: str) -> bytes:
    """Return `plain` encrypted with the key in the file `key`, which is created if missing; it can be decrypted only for the same
    `about`.
    """
    nonce = secrets.token_bytes(_NONCE_SIZE)
    private_folder(key.parent)
    return nonce + AESGCM(load_or_create(key)).encrypt(nonce, plain, about.encode())


def unseal(key: Path, sealed: bytes, about: str) -> bytes | None:
    """Decrypt what `seal` returned; None when the key is missing or different."""
    if not key.exists():
        return None
    try:
        return AESGCM(load_or_create(key)).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], about.encode())
    except (InvalidTag, ValueError):
        return None
