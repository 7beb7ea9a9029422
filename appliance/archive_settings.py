"""Settings of the archive: object storage that keeps originals which take too much room here."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.setting_values import option as _option


@dataclass(frozen=True, slots=True)
class Archive:
    """Object storage for originals (S3); nothing is moved unless `depot.archive` names a bucket."""

    endpoint: str = _option("", "The storage: https://HOST[:PORT]; http:// only on this machine itself")
    access_key: str = _option("", "Access key there; `dcor archive secret` sets the secret key that belongs to it")
    region: str = _option("us-east-1", "Region that requests are signed for")
    authority: str = _option(
        "", "PEM file of the authority that signed the storage's certificate; empty = those of the system"
    )
    after_days: int = _option(180, "Originals are moved so long after their upload or recall", "d", live=True)
    least_size: int = _option(10_000_000, "Smaller originals stay here", "bytes", live=True)
    circles: str = _option(
        "", "Circles whose originals are moved, separated by spaces; empty = those of all circles", live=True
    )
    keep_days: int = _option(
        30, "Objects of recalled files are deleted after this time; 0 = with the next run", "d", live=True
    )
    cache: int = _option(2 << 30, "Most disk space for pieces of archived files that were read; 0 = keep none", "bytes")
    timeout: int = _option(10, "Longest silence of the storage", "s", least=1, most=60)
