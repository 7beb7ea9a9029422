"""The object storage: the few calls of S3 that the archive needs, with bounds on time, and errors in words.

botocore is imported here only, and only when a bucket is named in the settings. It gets keys and addresses from us alone: no profile,
environment variable or proxy counts.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from appliance.archive_settings import Archive
from appliance.model import server_address
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid

#: File in `secrets/` with the secret key; part of backups, so that a restored server can read its archive.
SECRET = "archive.key"  # noqa: S105 - the name of a file
BLOCK = 1 << 20
_PART = 16 << 20
_MOST_PARTS = 9_000
_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[A-Za-z0-9._/-]*))?")
_ENDPOINT = re.compile(r"[a-zA-Z]+://[^/?#@]+/?")  # a server without a path
_PAUSE = 5.0
_T = TypeVar("_T")


class ArchiveAway(Problem):
    """503: the storage does not answer, or not as it should; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            503,
            "Service Unavailable",
            message=Message(
                "The file is in the archive, and the object storage cannot be used at the moment (%(reason)s). Nothing is lost; try again later.",
                reason=reason,
            ),
        )
        self.reason = reason


class NoObject(Exception):
    """There is no such object, or it is another one than was stored."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where objects go. :ivar prefix: "" or ends with a slash."""

    endpoint: str
    bucket: str
    prefix: str

    @property
    def place(self) -> str:
        """What tells this bucket from all others."""
        return f"{self.endpoint}/{self.bucket}"


def parse_address(archive: str, settings: Archive) -> Address:
    """Parse `depot.archive` and `archive.endpoint`. Raises Problem 409."""
    match = _ADDRESS.fullmatch(archive)
    if match is None or ".." in archive:
        raise invalid(
            message=Message("depot.archive: '%(value)s' is no bucket such as s3://dcor-archive.", value=archive)
        )
    server = server_address.split(settings.endpoint) if _ENDPOINT.fullmatch(settings.endpoint) else None
    if server is None or (server.scheme == "http" and not server_address.is_loopback(server.host)):
        raise invalid(
            message=Message(
                "archive.endpoint: '%(value)s' is no storage such as https://s3.hospital.example. Unencrypted http:// is only for this machine itself.",
                value=settings.endpoint,
            )
        )
    prefix = (match["prefix"] or "").strip("/")
    return Address(server.url, match["bucket"], f"{prefix}/" if prefix else "")


@dataclass(frozen=True, slots=True)
class Found:
    """An object: size [bytes] and ETag."""

    size: int
    etag: str


class ObjectStore:
    """One bucket. Thread-safe. Every method raises ArchiveAway when the storage does not answer as it should.

    After a failed connection it is not asked again for some seconds, so that nobody waits for a storage that is known to be away.
    """

    def __init__(self, address: Address, settings: Archive, secret: str) -> None:
        self.address = address
        self._settings, self._secret = settings, secret
        self._lock = threading.Lock()
        self._pause: tuple[float, str] = (0.0, "")
        self._client: Any = None

    def key(self, resource_id: str) -> str:
        """The key of a resource's object."""
        return f"{self.address.prefix}resources/{resource_id[:3]}/{resource_id[3:6]}/{resource_id[6:]}"

    def check(self) -> None:
        """Ask for the bucket. Raises ArchiveAway."""
        try:
            self._call(lambda client: client.head_bucket(Bucket=self.address.bucket))
        except NoObject as error:
            raise ArchiveAway(f"there is no bucket {self.address.bucket}") from error

    def head(self, key: str) -> Found:
        """Size and ETag of an object. Raises NoObject."""
        answer = self._call(lambda client: client.head_object(Bucket=self.address.bucket, Key=key))
        return Found(int(answer["ContentLength"]), str(answer["ETag"]).strip('"'))

    def read(self, key: str, start: int, length: int, etag: str = "") -> Iterator[bytes]:
        """`length` bytes of an object from `start`, in blocks; the connection is made before this returns.

        Raises NoObject when there is none with this ETag. Later, the blocks raise ArchiveAway.
        """
        if length <= 0:
            return iter(())
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        answer = self._call(
            lambda client: client.get_object(
                Bucket=self.address.bucket, Key=key, Range=f"bytes={start}-{start + length - 1}", **condition
            )
        )
        return self._blocks(answer["Body"], length)

    def write(self, key: str, file: BinaryIO, size: int, passed: Callable[[bytes], None]) -> None:
        """Upload `size` bytes of `file`; `passed` gets each piece that was sent, and may raise to stop. Nothing is left of an upload that failed."""
        part = max(_PART, -(-size // _MOST_PARTS))
        bucket = self.address.bucket
        if size <= part:
            content = _exactly(file, size)
            passed(content)
            self._call(lambda client: client.put_object(Bucket=bucket, Key=key, Body=content))
            return
        upload = str(self._call(lambda client: client.create_multipart_upload(Bucket=bucket, Key=key))["UploadId"])
        complete = False
        try:
            tags = []
            for number in range(1, -(-size // part) + 1):
                content = _exactly(file, min(part, size - (number - 1) * part))
                passed(content)
                tags.append({"PartNumber": number, "ETag": self._send_part(key, upload, number, content)})
            self._call(
                lambda client: client.complete_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": tags}
                )
            )
            complete = True
        finally:
            if not complete:
                with suppress(ArchiveAway):
                    self._abort(key, upload)

    def delete(self, key: str) -> None:
        """Delete an object, and uploads to it that were left unfinished; those that are not there do not matter."""
        bucket = self.address.bucket
        with suppress(NoObject):
            found = self._call(lambda client: client.list_multipart_uploads(Bucket=bucket, Prefix=key))
            for one in found.get("Uploads") or ():
                if one["Key"] == key:
                    self._abort(key, str(one["UploadId"]))
        with suppress(NoObject):
            self._call(lambda client: client.delete_object(Bucket=bucket, Key=key))

    def _abort(self, key: str, upload: str) -> None:
        with suppress(NoObject):
            self._call(
                lambda client: client.abort_multipart_upload(Bucket=self.address.bucket, Key=key, UploadId=upload)
            )

    def _send_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        answer = self._call(
            lambda client: client.upload_part(
                Bucket=self.address.bucket, Key=key, UploadId=upload, PartNumber=number, Body=content
            )
        )
        return str(answer["ETag"])

    def _blocks(self, body: Any, length: int) -> Iterator[bytes]:
        try:
            while length > 0:
                try:
                    block = body.read(min(BLOCK, length))
                except Exception as error:  # urllib3's and botocore's own, of many kinds
                    raise ArchiveAway(_reason(error)) from error
                if not block:
                    raise ArchiveAway("the transfer broke off")
                length -= len(block)
                yield block
        finally:
            body.close()

    def _call(self, ask: Callable[[Any], _T]) -> _T:
        until, reason = self._pause
        if time.monotonic() < until:
            raise ArchiveAway(reason)
        try:
            from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        except ImportError as error:
            raise ArchiveAway("support for it is not installed: pip install dcor-appliance[archive]") from error
        try:
            return ask(self._connected())
        except ClientError as error:
            answer = error.response
            status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code = str(answer.get("Error", {}).get("Code", ""))
            if status in {404, 412, 416}:
                raise NoObject(code or str(status)) from error
            raise ArchiveAway(_refusal(status, code)) from error
        except HTTPClientError as error:
            self._pause = (time.monotonic() + _PAUSE, _reason(error))
            raise ArchiveAway(_reason(error)) from error
        except (BotoCoreError, OSError, ValueError) as error:
            raise ArchiveAway(_reason(error)) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        import botocore.session
        from botocore.config import Config

        session = botocore.session.Session()
        for name in ("config_file", "credentials_file"):
            session.set_config_variable(name, os.devnull)
        settings = self._settings
        return session.create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=self.address.endpoint,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=self._secret,
            verify=settings.authority or None,
            config=Config(
                connect_timeout=min(settings.timeout, 5),
                read_timeout=settings.timeout,
                retries={"total_max_attempts": 2},
                max_pool_connections=40,
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                proxies={},
                request_checksum_calculation="when_required",  # not every storage knows the newer ones
                response_checksum_validation="when_required",
            ),
        )


def _exactly(file: BinaryIO, size: int) -> bytes:
    """The next `size` bytes. Raises ValueError when the file is shorter."""
    content = file.read(size)
    if len(content) != size:
        raise ValueError("the file is shorter than its row says")
    return content


def _refusal(status: int, code: str) -> str:
    if status in {401, 403}:
        return f"it refuses the access key: {code or status}"
    return f"it answers {status} {code}".strip()


def _reason(error: Exception) -> str:
    """A short reason without addresses with signatures in them."""
    name = type(error).__name__
    known = {
        "EndpointConnectionError": "no connection",
        "ConnectTimeoutError": "no connection",
        "ConnectionClosedError": "the connection broke off",
        "ReadTimeoutError": "it has fallen silent",
        "SSLError": "its certificate is not valid",
    }
    return known.get(name, name)
