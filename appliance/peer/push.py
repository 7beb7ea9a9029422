"""Publishing on another server: a draft there, its files, their checksums, and activation when a person has said so.

May be killed at any moment and called again: each step is noted before the next one is made (`store.publications`), so that no
second dataset is made and no file that has arrived is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.actions import upload_limits
from appliance.actions.outgoing import Outgoing, OutgoingFile, Wishes, address_here, gather
from appliance.actions.site import Site
from appliance.archive.moving import Mover
from appliance.model import names
from appliance.model.problem import Problem, invalid
from appliance.model.pseudonymised import Copier
from appliance.model.server_address import Address, parse, refused
from appliance.model.viewer import Viewer
from appliance.peer.client import Client, Passing, Refusal
from appliance.peer.progress import Progress
from appliance.peer.sending import Draft, FileSender, compared, shown
from appliance.settings import Settings
from appliance.store import audit, publications
from appliance.store.publications import Publication, SentFile

#: Seconds between two questions whether the other server knows the checksums.
PATIENCE = (0.5, 1.0, 2.0, *(5.0,) * 60)
_SEARCHES = 3
_MOST_DRAFTS = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """How to push. :ivar circle: there; :ivar confirmed: asks a person whether the draft there (address given) shall be activated.

    :ivar copier: makes pseudonymised copies; needed where the wishes are for them.
    """

    circle: str
    wishes: Wishes = field(default_factory=Wishes)
    confirmed: Callable[[str], bool] = lambda _address: False
    anew: bool = False
    patience: Sequence[float] = field(default_factory=lambda: PATIENCE)
    copier: Copier | None = None


@dataclass(slots=True)
class Report:
    """What a push has done for one dataset. :ivar state: draft or active, there; :ivar unverified: files whose checksum was not told."""

    dataset: str
    target: str
    url: str = ""
    state: str = ""
    files: int = 0
    sent: int = 0
    unverified: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def target(settings: Settings, url: str) -> Address:
    """The server of that address, if an administrator has named it. Raises Problem 409."""
    wanted = parse(url)
    named = [parse(one) for one in settings.publish.targets.split()]
    if wanted not in named:
        known = ", ".join(one.url for one in named) or "none"
        raise invalid(
            message=f"{wanted.url} is not among the servers to which this one may publish ({known}). An administrator names them in "
            "the setting publish.targets."
        )
    return wanted


def push(site: Site, viewer: Viewer, client: Client, ref: str, options: Options, progress: Progress) -> Report:
    """Send a dataset, or what is still missing of it. Raises Problem."""
    found = gather(site, viewer, ref, options.wishes)
    progress.expect(found.size)
    return _Push(site, viewer, client, options, progress, found).run()


class _Push:
    """One call of `push`."""

    def __init__(
        self, site: Site, viewer: Viewer, client: Client, options: Options, progress: Progress, found: Outgoing
    ) -> None:
        self._site, self._viewer, self._client, self._options, self._found = site, viewer, client, options, found
        self._target = client.address.url
        self._sender = FileSender(client, site.settings.publish.storage.split(), progress)
        self._mover = Mover(site.db, site.depot, site.settings)
        self._fresh, self._former = False, ""  # begun just now; the draft there that --anew leaves alone
        self._report = Report(found.name, self._target, notes=list(found.notes))

    def run(self) -> Report:
        """Every step that has not been made."""
        circle_id, circle_name = self._circle()
        known = self._begun(circle_name)
        if not known.remote_id:
            known = self._make(known, circle_id, circle_name)
        there = shown(self._client, known.remote_id)
        self._require_usable(there)
        draft = Draft(known.remote_id, circle_id)
        sent = [self._file(draft, file, active=there.get("state") == "active") for file in self._found.files]
        self._verify(draft, sent)
        self._report.url = known.url
        self._report.files = len(sent)
        self._activate(known)
        return self._report

    # --- the draft ----------------------------------------------------------------------------------------------------

    def _circle(self) -> tuple[str, str]:
        """(id, name) of the circle there. Raises Problem 409 where the token gives no right to it."""
        try:
            listed = self._client.call("organization_list_for_user", permission="create_dataset")
        except Refusal as refusal:
            raise invalid(message=f"{self._client.address.name} does not accept the token: {refusal}") from refusal
        for one in listed if isinstance(listed, list) else []:
            if self._options.circle in (one.get("name"), one.get("id")) and names.is_id(one.get("id")):
                return str(one["id"]), str(one.get("name"))
        raise invalid(
            message=f"No dataset can be created with this token in the circle '{self._options.circle}' of {self._client.address.name}; "
            "the token may have expired, or its owner is not an editor there."
        )

    def _begun(self, circle: str) -> Publication:
        """What was noted of an earlier call, or a new note."""
        dataset_id, copies = self._found.id, self._options.wishes.pseudonymise
        wanted = (circle, self._found.fields["license_id"])
        with self._site.db.write() as tx:
            known = publications.get(tx, dataset_id, self._target)
            fits = known is not None and (known.circle, known.licence, bool(known.pseudonymised)) == (*wanted, copies)
            if known is not None and (self._options.anew or (not fits and not known.remote_id)):
                self._former = known.remote_id
                publications.forget(tx, dataset_id, self._target)
                known = None
            if known is None:
                publications.begin(tx, dataset_id, self._target, *wanted, pseudonymised=copies)
                self._note(tx, "dataset.push", circle=circle, **({"pseudonymised": True} if copies else {}))
                self._fresh, fits = True, True
            known = known or publications.get(tx, dataset_id, self._target)
            assert known is not None  # noqa: S101 - just written
        if not fits:
            files = "pseudonymised copies" if known.pseudonymised else "the files themselves"
            raise invalid(
                message=f"{self._found.name} was sent to {self._target} before: circle {known.circle}, licence {known.licence}, {files}. "
                "Repeat it so, or say --anew to make another dataset there."
            )
        return known

    def _make(self, known: Publication, circle_id: str, circle_name: str) -> Publication:
        """Make the draft there, unless an earlier call did and was not told."""
        there = None if self._fresh else self._lost_draft(circle_name)
        failure = ""
        for wait in () if there else (0.0, *self._client.waits):
            time.sleep(wait)
            try:
                there = self._client.once("package_create", **self._found.fields, owner_org=circle_id)
            except Passing as passing:
                failure, there = str(passing), self._lost_draft(circle_name)
            except Refusal as refusal:
                raise refused(f"{self._client.address.name} does not create a dataset from it: {refusal}") from refusal
            if there:
                break
        if not there:
            raise refused(f"{self._client.address.name} does not answer package_create: {failure}.")
        if not isinstance(there, Mapping) or not names.is_id(there.get("id")):
            raise refused(f"{self._client.address.name} does not create a dataset as a DCOR does.")
        name = there.get("name")
        try:
            name = names.require_name(name)  # type: ignore[arg-type]  # it looks at the type
        except Problem:
            name = ""
        with self._site.db.write() as tx:
            publications.made(tx, self._found.id, self._target, str(there["id"]), name)
        return replace(known, remote_id=str(there["id"]), remote_name=name, state="draft")

    def _lost_draft(self, circle: str) -> Mapping[str, Any] | None:
        """A draft there that names the dataset here as its origin."""
        origin = address_here(self._site, self._found.id)
        for wait in (0.0, *self._client.waits)[:_SEARCHES]:
            time.sleep(wait)
            try:
                found = self._client.call(
                    "package_search", q="*:*", fq=f"organization:{circle} AND state:draft", include_drafts=True,
                    include_private=True, rows=_MOST_DRAFTS, sort="metadata_created desc",
                )  # fmt: skip
            except Refusal as refusal:
                raise refused(f"{self._client.address.name} does not list its drafts: {refusal}") from refusal
            for one in found.get("results", []) if isinstance(found, Mapping) else []:
                listed = str(one.get("references", "")) if isinstance(one, Mapping) else ""
                if origin in listed.split(", ") and one.get("state") == "draft" and one.get("id") != self._former:
                    return dict(one)
        return None

    def _require_usable(self, there: Mapping[str, Any]) -> None:
        if there.get("state") not in ("draft", "active"):
            raise invalid(
                message=f"{self._found.name} was deleted at {self._target}. To create it there again, use --anew."
            )

    # --- its files ----------------------------------------------------------------------------------------------------

    def _file(self, draft: Draft, file: OutgoingFile, *, active: bool) -> SentFile:
        with self._site.db.read() as conn:
            known = publications.file(conn, self._found.id, self._target, file.id)
        if known is not None and known.state == "verified":
            return known
        if known is not None and known.state == "sent":
            self._describe(draft, file, known, active=active)
            return known
        sent = self._sender.recover(draft, known) if known is not None else None
        if sent is None:
            sent = self._send(draft, file) if file.original is None else self._send_copy(draft, file)
            self._report.sent += sent.size
        self._keep(sent)
        self._describe(draft, file, sent, active=active)
        return sent

    def _send(self, draft: Draft, file: OutgoingFile) -> SentFile:
        entry = SentFile(file.id, file.name, file.size, file.sha256, file.etag, "", "sending")
        with self._mover.local(file.id) as path:
            return self._sender.send(draft, entry, path, self._keep)

    def _send_copy(self, draft: Draft, file: OutgoingFile) -> SentFile:
        """Send a pseudonymised copy in place of the file. Raises Problem 409 when the report finds personal data in the copy, too."""
        assert file.original is not None  # noqa: S101 - who calls has looked
        assert self._options.copier is not None  # noqa: S101 - who wishes copies gives one
        with self._site.db.read() as conn:
            upload_limits.require_room(self._site, conn, file.size)
        with (
            self._mover.local(file.id) as path,
            self._options.copier.made(replace(file.original, path=path)) as copy,
        ):
            if copy.personal:
                found = ", ".join(f"{one['kind']} in {one['where']}" for one in copy.personal[:5])
                raise invalid(
                    message=f"The copy of {file.name} still seems to hold personal data ({found}); nothing is sent."
                )
            entry = SentFile(file.id, file.name, copy.size, copy.sha256, copy.etag, "", "sending")
            return self._sender.send(draft, entry, copy.path, self._keep)

    def _describe(self, draft: Draft, file: OutgoingFile, sent: SentFile, *, active: bool) -> None:
        if active:
            return
        if reason := self._sender.describe(draft, sent, file.values):
            self._report.notes.append(f"The supplements of {sent.name} were not accepted there: {reason}")

    def _keep(self, sent: SentFile) -> None:
        with self._site.db.write() as tx:
            publications.put_file(tx, self._found.id, self._target, sent)

    def _verify(self, draft: Draft, sent: Sequence[SentFile]) -> None:
        """Compare what the server has with what was sent. Raises Problem 502 for a damaged file."""
        open_ = [one for one in sent if one.state != "verified"]
        for wait in (0.0, *self._options.patience):
            time.sleep(wait if open_ else 0)
            told = {one.get("id"): one for one in shown(self._client, draft.id)["resources"]}
            for one in sent:
                if one.remote_id not in told:
                    raise refused(f"{one.name} is no longer in the draft at {self._client.address.name}.")
            for one in list(open_):
                if _arrived(one, told[one.remote_id], self._client.address.name):
                    self._keep(replace(one, state="verified"))
                    open_.remove(one)
            if not open_:
                return
        self._report.unverified = [one.name for one in open_]

    # --- the end ------------------------------------------------------------------------------------------------------

    def _activate(self, known: Publication) -> None:
        state = str(shown(self._client, known.remote_id).get("state"))
        report = self._report
        if state == "draft" and not report.unverified and self._options.confirmed(known.url):
            try:
                self._client.call("package_revise", match={"id": known.remote_id}, update={"state": "active"})
            except Refusal as refusal:
                raise refused(f"{self._client.address.name} does not activate {known.url}: {refusal}") from refusal
            state = "active"
        report.state = state
        if state == "active" and known.state != "active":
            with self._site.db.write() as tx:
                publications.activated(tx, self._found.id, self._target)
                self._note(tx, "dataset.published", address=known.url)

    def _note(self, tx: Any, action: str, **detail: Any) -> None:
        audit.add(tx, self._viewer, action, "dataset", self._found.id, target=self._target, **detail)


def _arrived(sent: SentFile, there: Mapping[str, Any], server: str) -> bool:
    """Is it there as it was sent? False while the server has not told. Raises Problem 502 when it is another one."""
    equal = compared(sent, there)
    if equal is False:
        told = str(there["sha256"])[:64]
        raise refused(
            f"{sent.name} arrived damaged at {server}: its SHA-256 is {told} there and {sent.sha256} here. Delete the draft "
            "there, then repeat with --anew."
        )
    return bool(equal)
