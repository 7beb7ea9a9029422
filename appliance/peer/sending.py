"""A file on its way to another DCOR, as DCOR-Aid sends it: parts to addresses that the server gives, or a form where it gives none."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.model import names
from appliance.model.multipart_parts import etag, part_count, part_range
from appliance.model.problem import Problem
from appliance.model.server_address import refused, upload_place
from appliance.peer.client import Client, Passing, Refusal, printable
from appliance.peer.progress import Progress
from appliance.store.publications import SentFile

_BLOCK = 1 << 20
_MD5 = re.compile(r"[0-9a-f]{32}(-[0-9]{1,5})?")

Note = Callable[[SentFile], None]


@dataclass(frozen=True, slots=True)
class Draft:
    """Where files go. :ivar id: of the dataset there; :ivar circle_id: of its circle there."""

    id: str
    circle_id: str


class FileSender:
    """Sends files to one server. :param storage: hosts (with ports) where the server may take files.

    :param keep_ids: by forms that name the id of each file (`SentFile.remote_id`), which administrators may choose.
    """

    def __init__(self, client: Client, storage: Sequence[str], progress: Progress, *, keep_ids: bool = False) -> None:
        self._client, self._progress, self._keep_ids = client, progress, keep_ids
        self._storage = frozenset(one.lower() for one in storage)

    def recover(self, draft: Draft, file: SentFile) -> SentFile | None:
        """A file that an earlier call began to send, if it is there; None when it has to be sent. Raises Problem 502."""
        there = self._found(draft, file)
        if there is None and file.remote_id:
            with suppress(Refusal):
                there = self._attach(draft, file)  # its bytes may be there, though nobody was told
        if there is None:
            return None
        self._progress.advance(file.size, fetched=False)
        return replace(file, remote_id=there, state="sent")

    def send(self, draft: Draft, file: SentFile, path: Path, note: Note) -> SentFile:
        """Bring the file into the draft; `note` keeps each step before the next one is made.

        :param path: the bytes, `file.size` of them.
        :raises Problem: 502 when the server does not take it.
        """
        note(file)
        return replace(file, remote_id=self._sent(draft, file, path, note), state="sent")

    def skip(self, size: int) -> None:
        """So many bytes are there already."""
        self._progress.advance(size, fetched=False)

    def describe(self, draft: Draft, sent: SentFile, values: Mapping[str, Any]) -> str:
        """Give a file its description and supplements. → why the server did not want them, "" when it has them."""
        if not values:
            return ""
        update: dict[str, Any] = {f"update__resources__{sent.remote_id}": dict(values)}
        try:
            self._client.call("package_revise", match__id=draft.id, **update)
        except Refusal as refusal:
            return str(refusal)
        return ""

    # --- steps --------------------------------------------------------------------------------------------------------

    def _found(self, draft: Draft, file: SentFile) -> str | None:
        """Id of the draft's file of this name."""
        for one in shown(self._client, draft.id)["resources"]:
            if one.get("name") == file.name:
                return str(one.get("id"))
        return None

    def _attach(self, draft: Draft, file: SentFile) -> str:
        """Make a file whose bytes have arrived part of the draft. Raises Refusal when they have not."""
        entry = {"id": file.remote_id, "name": file.name, "s3_available": True}
        for wait in (0.0, *self._client.waits):
            time.sleep(wait)
            try:
                self._client.once("package_revise", match={"id": draft.id}, update__resources__extend=[entry])
            except (Passing, Refusal) as error:
                there = self._found(draft, file)  # an answer may have been lost
                if there is not None:
                    return there
                if isinstance(error, Refusal):
                    raise
            else:
                return file.remote_id
        raise refused(f"{self._client.address.name} does not answer package_revise.")

    def _sent(self, draft: Draft, file: SentFile, path: Path, note: Note) -> str:
        failure = ""
        for wait in (0.0, *self._client.waits):
            time.sleep(wait)
            try:
                there = self._attempt(draft, file, path, note)
            except Passing as passing:
                failure, there = str(passing), self._found(draft, file)
            except Refusal as refusal:
                there = self._found(draft, file)
                if there is None:
                    raise refused(f"{self._client.address.name} does not take {file.name}: {refusal}") from refusal
            if there is not None:
                return there
        raise refused(f"{self._client.address.name} does not take {file.name}: {failure or 'the reason is unknown'}.")

    def _attempt(self, draft: Draft, file: SentFile, path: Path, note: Note) -> str | None:
        given = self._addresses(draft, file) if file.size and not self._keep_ids else None
        if given is None:
            return self._by_form(draft, file, path)
        remote_id, urls, complete = given
        file = replace(file, remote_id=remote_id, state="sending")
        note(file)
        digests = [self._part(file, path, number, url) for number, url in enumerate(urls, 1)]
        if complete:
            self._complete(complete, digests)
        return self._attach(draft, file)

    def _addresses(self, draft: Draft, file: SentFile) -> tuple[str, list[str], str] | None:
        """(id of the file, addresses of its parts, address that completes them or ""); None where the server takes forms only."""
        try:
            given = self._client.call("resource_upload_s3_urls", organization_id=draft.circle_id, file_size=file.size)
        except Refusal as refusal:
            if refusal.status == 400:  # it knows no such action
                return None
            raise
        count = part_count(file.size)
        found = given if isinstance(given, Mapping) else {}
        urls, complete, id_ = found.get("upload_urls"), found.get("complete_url"), found.get("resource_id")
        if not isinstance(urls, list) or len(urls) != count or bool(complete) != (count > 1) or not names.is_id(id_):
            raise refused(f"{self._client.address.name} does not give the {count} addresses for the parts of a file.")
        return str(id_), [str(one) for one in urls], str(complete or "")

    def _part(self, file: SentFile, path: Path, number: int, url: str) -> str:
        """Send one part; → its MD5."""
        place = upload_place(self._client.address, url, self._storage)
        offset, length = part_range(file.size, number)
        failure = ""
        for wait in (0.0, *self._client.waits):
            time.sleep(wait)
            pieces = _Pieces(path, offset, length, self._progress)
            try:
                answer = self._client.send(place, "PUT", {}, pieces, length)
            except Passing as passing:
                failure = str(passing)
            else:
                told = answer.etag.strip("\"' ").lower()
                if answer.status < 300 and pieces.whole and told == pieces.md5.hexdigest():
                    return told
                failure = (
                    f"it says {answer.status}" if answer.status >= 300 else "the checksum of a part is another one"
                )
            pieces.take_back()
        raise Passing(failure)

    def _complete(self, url: str, digests: Sequence[str]) -> None:
        place = upload_place(self._client.address, url, self._storage)
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{digest}</ETag></Part>"
            for number, digest in enumerate(digests, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._client.send(place, "POST", {}, [body], len(body))
        told = answer.etag.strip("\"' ").lower()
        if answer.status >= 300 or b"<error>" in answer.body.lower():
            raise Passing(f"it does not put the parts together ({answer.status})")
        if _MD5.fullmatch(told) and told != etag(digests):
            raise Passing("the checksum of the whole is another one")

    def _by_form(self, draft: Draft, file: SentFile, path: Path) -> str | None:
        boundary = secrets.token_hex(16)
        entry = {"name": file.name} | ({"id": file.remote_id} if self._keep_ids else {})
        fields = {"match__id": draft.id, "update__resources__extend": json.dumps([entry])}
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        head += (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="update__resources__-1__upload"; filename="{file.name}"\r\n\r\n'
        )
        tail = f"\r\n--{boundary}--\r\n".encode()
        pieces = _Pieces(path, 0, file.size, self._progress, head.encode(), tail)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            self._client.send_form("package_revise", headers, pieces, len(head.encode()) + file.size + len(tail))
        except (Passing, Refusal):
            pieces.take_back()
            raise
        return self._found(draft, file)


class _Pieces:
    """Some bytes of a file, between a head and a tail, counted and hashed while they are read.

    :ivar whole: all were read; :ivar md5: of the file's bytes.
    """

    def __init__(
        self, path: Path, offset: int, length: int, progress: Progress, head: bytes = b"", tail: bytes = b""
    ) -> None:
        self._path, self._offset, self._length, self._progress = path, offset, length, progress
        self._head, self._tail, self._read = head, tail, 0
        self.md5 = hashlib.md5(usedforsecurity=False)

    @property
    def whole(self) -> bool:
        """Were all bytes read?"""
        return self._read == self._length

    def take_back(self) -> None:
        """They did not arrive: they count as not sent."""
        self._progress.advance(-self._read, fetched=False)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        if self._head:
            yield self._head
        buffer = memoryview(bytearray(_BLOCK))
        with self._path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), self._offset, self._length, os.POSIX_FADV_SEQUENTIAL)
            file.seek(self._offset)
            while self._read < self._length:
                count = file.readinto(buffer[: min(_BLOCK, self._length - self._read)])
                if not count:
                    raise Problem(409, "Validation Error", message="A file on disk is shorter than it should be.")
                self._read += count
                self.md5.update(buffer[:count])
                yield buffer[:count]
                self._progress.advance(count)
        if self._tail:
            yield self._tail


def shown(client: Client, dataset_id: str) -> Mapping[str, Any]:
    """A dataset there, with a list `resources` of objects. Raises Problem 502 (it is gone, or is no dataset)."""
    try:
        found = client.call("package_show", id=dataset_id)
    except Refusal as refusal:
        raise refused(f"{client.address.name} does not give the dataset {dataset_id}: {refusal}") from refusal
    resources = found.get("resources") if isinstance(found, Mapping) else None
    if not isinstance(resources, list) or found.get("id") != dataset_id:
        raise refused(f"{client.address.name} answers with something that is not a dataset: {printable(found, 60)}")
    if any(not isinstance(one, Mapping) for one in resources):
        raise refused(f"{client.address.name} answers with files that are none.")
    return dict(found)


def compared(sent: SentFile, there: Mapping[str, Any]) -> bool | None:
    """Has the server the bytes that were sent? None while it has told neither SHA-256 nor an equal ETag.

    :param there: the file as the server describes it.
    """
    sha256, etag = there.get("sha256"), there.get("etag")
    if sha256:
        return bool(sha256 == sent.sha256)
    return True if etag and etag == sent.etag else None
