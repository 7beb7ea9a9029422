"""Lists of what another DCOR holds, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.model.server_address import refused
from appliance.peer import entries
from appliance.peer.client import Refusal, TooLarge, printable
from appliance.peer.entries import PeerCommunity, PeerDataset, PeerUser, Unfit
from appliance.peer.source import Source

_PAGE = 100
_MOST_PAGES = 100_000
#: Datasets, and circles or collections, of one server: more than any has, so that a list without end fills no memory.
MOST_DATASETS, MOST_COMMUNITIES = 1_000_000, 100_000
_LONGEST_NAME = 200
_NAMES = 1000
#: CKAN's words in the names of actions.
_WORDS = {"circle": "organization", "collection": "group"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; without circles, collections and datasets: everything. :ivar since: only what has changed since this moment."""

    circles: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    users: bool = False
    since: str = ""

    @property
    def whole(self) -> bool:
        """Is nothing left out on purpose?"""
        return not (self.circles or self.collections or self.datasets or self.since)


@dataclass(slots=True)
class LeftOut:
    """Something that is not taken, and why."""

    kind: str
    name: str
    reason: str


@dataclass(slots=True)
class Catalogue:
    """What another DCOR holds of what is wanted.

    :ivar held: ids of all datasets that were listed there, also of those that cannot be taken; :ivar notes: what could not be asked.
    """

    users: list[PeerUser] = field(default_factory=list)
    communities: list[PeerCommunity] = field(default_factory=list)
    datasets: list[PeerDataset] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(client: Source, wanted: Selection) -> Catalogue:
    """Ask for everything that is wanted. Raises Problem when the server does not answer, or names something unknown."""
    found = Catalogue(notes=list(client.notes))
    for data in _datasets(client, wanted):
        name = printable(data.get("name") if isinstance(data, Mapping) else "?", 100)
        if isinstance(data, Mapping) and isinstance(data.get("id"), str):
            if data["id"] in found.held:
                continue  # the list moved while it was read
            found.held.add(data["id"])
        try:
            dataset = entries.dataset(data)
        except Unfit as reason:
            found.left_out.append(LeftOut("dataset", name, str(reason)))
            continue
        if _is_wanted(dataset, wanted):
            found.datasets.append(dataset)
    for kind in ("circle", "collection"):
        _read_communities(client, kind, wanted, found)
    if wanted.users:
        _read_users(client, wanted, found)
    return found


def show(client: Source, dataset_id: str) -> PeerDataset:
    """A dataset as it is now, for the list may be older. Raises Unfit, Refusal, Problem."""
    found = entries.dataset(client.call("package_show", id=dataset_id))
    if found.id != dataset_id:
        raise Unfit("the server answers with another dataset")
    return found


def collaborators(client: Source, dataset_id: str) -> list[tuple[str, str, str | None]] | None:
    """With whom a dataset is shared: (user id, member or editor, moment); None when the server does not say. Raises Problem."""
    try:
        return entries.collaborators(client.call("package_collaborator_list", id=dataset_id))
    except Refusal:
        return None


def _datasets(client: Source, wanted: Selection) -> Iterator[Any]:
    if wanted.circles or wanted.collections or not wanted.datasets:
        yield from _searched(client, wanted)
    for name in wanted.datasets:
        try:
            yield client.call("package_show", id=name)
        except Refusal as refusal:
            raise refused(f"{client.address.name} does not give the dataset '{name}': {refusal}") from refusal


def _searched(client: Source, wanted: Selection) -> Iterator[Any]:
    filters = []
    terms = [f"organization:{name}" for name in wanted.circles] + [f"groups:{name}" for name in wanted.collections]
    if terms:
        filters.append("(" + " OR ".join(terms) + ")")
    if wanted.since:
        filters.append(f"metadata_modified:[{wanted.since.replace(':', chr(92) + ':')}Z TO *]")
    query: dict[str, Any] = {
        "q": "*:*", "fq": " AND ".join(filters), "include_private": True, "include_drafts": True,
        "sort": "metadata_created asc, id asc",
    }  # fmt: skip
    rows, start = _PAGE, 0
    for _ in range(_MOST_PAGES):
        try:
            result = client.call("package_search", **query, rows=rows, start=start)
        except TooLarge:
            if rows == 1:
                raise refused(f"{client.address.name} describes one dataset in more bytes than are accepted.") from None
            rows = max(1, rows // 4)
            continue
        except Refusal as refusal:
            if refusal.status == 413 and rows > 1:  # an appliance that was asked for too much at once
                rows = max(1, rows // 4)
                continue
            raise refused(f"{client.address.name} does not list its datasets: {refusal}") from refusal
        page = result.get("results") if isinstance(result, Mapping) else None
        if not isinstance(page, list):
            raise refused(f"{client.address.name} does not list its datasets as a DCOR does.")
        yield from page
        start += len(page)
        if not page:
            return
        if start > MOST_DATASETS:
            break
    raise refused(f"The list of datasets of {client.address.name} has no end.")


def _is_wanted(dataset: PeerDataset, wanted: Selection) -> bool:
    """Compare again here: a server may ignore filters."""
    if wanted.since and dataset.modified < wanted.since:
        return False
    if not (wanted.circles or wanted.collections or wanted.datasets):
        return True
    return (
        dataset.circle_name in wanted.circles
        or any(name in wanted.collections for _, name in dataset.collections)
        or dataset.name in wanted.datasets
        or dataset.id in wanted.datasets
    )


def _read_communities(client: Source, kind: str, wanted: Selection, found: Catalogue) -> None:
    """Those of the datasets that are taken, those that are named, and without a selection all."""
    if kind == "circle":
        refs, named = {one.circle_id for one in found.datasets}, wanted.circles
    else:
        refs, named = {id_ for one in found.datasets for id_, _ in one.collections}, wanted.collections
    asked: Sequence[str] = [*_community_names(client, kind)] if wanted.whole else [*named, *sorted(refs)]
    known: set[str] = set()
    for ref in asked:
        if ref in known:
            continue
        try:
            data = client.call(
                f"{_WORDS[kind]}_show", id=ref, include_users=True, include_datasets=False, include_dataset_count=False,
                include_followers=False, include_extras=True, include_tags=False, include_groups=False,
            )  # fmt: skip
            one = entries.community(kind, data)
        except (Refusal, Unfit) as reason:
            if ref in named:
                raise refused(f"{client.address.name} does not give the {kind} '{ref}': {reason}") from reason
            found.left_out.append(LeftOut(kind, printable(ref, 100), str(reason)))
            continue
        if one.id not in known:
            found.communities.append(one)
        known |= {one.id, one.name}


def _community_names(client: Source, kind: str) -> Iterator[str]:
    seen: set[str] = set()
    for _ in range(_MOST_PAGES):
        try:
            page = client.call(f"{_WORDS[kind]}_list", all_fields=False, limit=_NAMES, offset=len(seen))
        except Refusal as refusal:
            raise refused(f"{client.address.name} does not list its {kind}s: {refusal}") from refusal
        fresh = [one for one in page if isinstance(one, str) and one not in seen] if isinstance(page, list) else []
        if not fresh:
            return
        if max(map(len, fresh)) > _LONGEST_NAME:
            raise refused(f"{client.address.name} does not list its {kind}s as a DCOR does.")
        seen.update(fresh)
        if len(seen) > MOST_COMMUNITIES:
            raise refused(f"The list of {kind}s of {client.address.name} has no end.")
        yield from fresh


def _read_users(client: Source, wanted: Selection, found: Catalogue) -> None:
    """All accounts, or with a selection those that belong to what is taken."""
    try:
        listed = client.call("user_list", all_fields=True)
    except Refusal as refusal:
        found.notes.append(f"Accounts cannot be listed with this token ({refusal}); it must be an administrator's.")
        return
    needed = {id_ for one in found.communities for id_, _, _ in one.members}
    needed |= {one.creator_id for one in found.datasets}
    for data in listed if isinstance(listed, list) else []:
        try:
            one = entries.user(data)
        except Unfit as reason:
            name = data.get("name") if isinstance(data, Mapping) else "?"
            found.left_out.append(LeftOut("user", printable(name, 100), str(reason)))
            continue
        if one.state != "deleted" and (wanted.whole or one.id in needed):
            found.users.append(one)
