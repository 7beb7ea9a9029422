"""Roles, moments, media types, cells of CSV files, states of the audit log, parts of large files, and who looks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import csv_cells, media, multipart_parts, roles, times
from appliance.model.audit_anchor import LogState
from appliance.model.problem import Problem, bad_request, invalid, missing, not_authorized, not_found
from appliance.model.viewer import ANONYMOUS, OPERATOR, DatasetFacts, Viewer

GIB = 1 << 30


# --- roles


def test_roles_have_the_permissions_of_ckan() -> None:
    permissions = {
        "admin": {"admin", "membership", "read", "create_dataset", "update_dataset", "delete_dataset", "manage_group", "update", "delete"},
        "editor": {"read", "create_dataset", "update_dataset", "delete_dataset", "manage_group"},
        "member": {"read"},
    }  # fmt: skip
    assert tuple(permissions) == roles.ROLES
    for role, allowed in permissions.items():
        assert {one for one in permissions["admin"] if roles.allows(role, one)} == allowed
    assert roles.allows("admin", "something new")
    assert not roles.allows("editor", "something new")
    assert not any(roles.allows(role, "read") for role in (None, "", "stranger"))


# --- moments


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)), st.integers(-14, 14))
def test_moments_are_utc_text_whose_order_is_that_of_time(moment: datetime, hours: int) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert times.text(moment) == times.text(local)
    assert times.parse(times.text(local)) == local
    assert len(times.text(moment)) == 26
    assert times.text(moment) < times.text(moment + timedelta(microseconds=1))


def test_now_and_later() -> None:
    before = datetime.now(UTC)
    assert before <= times.parse(times.now()) <= datetime.now(UTC)
    assert before + timedelta(hours=1) <= times.parse(times.ahead(timedelta(hours=1)))
    with pytest.raises(ValueError):
        times.parse("yesterday")


# --- media types and cells


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.rtdc", ("RT-DC", "RT-DC")), ("a.dc", ("DC", "DC")), ("a.csv", ("text/csv", "CSV")),
        ("a.tsv", ("text/tab-separated-values", "TSV")), ("a.pdf", ("application/pdf", "PDF")),
        ("a.txt", ("text/plain", "TXT")), ("a.jpg", ("image/jpeg", "JPEG")), ("a.png", ("image/png", "PNG")),
        ("a.tif", ("image/tiff", "TIFF")), ("a.py", ("text/x-python", "PY")),
        ("a.ipynb", ("application/x-ipynb+json", "IPYNB")), ("a.ini", (None, "INI")), ("a.exe", (None, "")), ("a", (None, "")),
    ],
)  # fmt: skip
def test_kinds_of_files(name: str, kind: tuple[str | None, str]) -> None:
    assert media.kind(name) == kind


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("text/plain", "text/plain; charset=utf-8"), ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"), ("image/png", "image/png"),
        ("text/html", "application/octet-stream"), ("text/x-python", "application/octet-stream"),
        ("RT-DC", "application/octet-stream"), ("", "application/octet-stream"), (None, "application/octet-stream"),
    ],
)  # fmt: skip
def test_nothing_is_sent_that_a_browser_would_run(stored: str | None, sent: str) -> None:
    assert media.content_type(stored) == sent


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(start: str) -> None:
    for text in (f"{start}1+1", f"  {start}1"):
        assert csv_cells.inert(text) == f"'{text}"
    assert csv_cells.inert(f"a{start}") == f"a{start}"
    assert csv_cells.inert(-1) == -1


# --- states of the audit log


@given(st.integers(0, 10**15 - 1), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_state_of_the_log_is_read_as_it_was_written(entries: int, head: str) -> None:
    state = LogState(entries, head)
    assert LogState.parse(f" {state}\n") == state


@pytest.mark.parametrize(
    "text", ["", "1", "1:", "1:abc", f"-1:{'a' * 64}", f"1:{'A' * 64}", f"{'1' * 16}:{'a' * 64}", f"1:{'a' * 65}"]
)
def test_other_texts_are_no_state_of_the_log(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        LogState.parse(text)


# --- parts of large files


@pytest.mark.parametrize(
    ("size", "count"),
    [(0, 1), (1, 1), (GIB - 1, 1), (GIB, 1), (GIB + 1, 2), (2 * GIB, 2), (2 * GIB + 1, 3)],
)
def test_parts_hold_at_most_a_gibibyte(size: int, count: int) -> None:
    assert multipart_parts.part_count(size) == count


@given(st.integers(0, 50 * GIB))
def test_parts_follow_each_other_and_are_as_equal_as_can_be(size: int) -> None:
    count = multipart_parts.part_count(size)
    ranges = [multipart_parts.part_range(size, number) for number in range(1, count + 1)]
    assert [offset for offset, _ in ranges] == [sum(length for _, length in ranges[:n]) for n in range(count)]
    assert sum(length for _, length in ranges) == size
    lengths = [length for _, length in ranges]
    assert max(lengths) <= GIB
    assert set(lengths[:-1]) <= {multipart_parts.part_size(size)}
    assert lengths[-1] <= lengths[0] < lengths[-1] + count
    for number in (0, -1, count + 1):
        with pytest.raises(ValueError):
            multipart_parts.part_range(size, number)


def test_a_size_is_not_negative() -> None:
    with pytest.raises(ValueError):
        multipart_parts.part_count(-1)
    with pytest.raises(ValueError):
        multipart_parts.etag([])


@given(st.binary(max_size=300), st.integers(1, 40), st.lists(st.integers(1, 60), max_size=20), st.booleans())
def test_the_etag_of_bytes_as_they_pass_is_that_of_the_parts(
    data: bytes, most: int, cuts: list[int], known: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multipart_parts, "MAX_PART", most)
        hasher = multipart_parts.EtagHasher(len(data) if known else None)
        at = 0
        for length in [*cuts, len(data)]:
            hasher.update(data[at : at + length])
            at += length
        digests = [
            hashlib.md5(data[offset : offset + length]).hexdigest()
            for offset, length in (
                multipart_parts.part_range(len(data), one + 1) for one in range(multipart_parts.part_count(len(data)))
            )
        ]
        expected = multipart_parts.etag(digests)
        if known and data:
            assert hasher.etag() == expected
        else:
            assert hasher.etag() in (expected, None)
            assert hasher.etag() == expected or len(digests) > 1
    assert expected.endswith(f"-{len(digests)}") == (len(digests) > 1)


# --- problems


def test_problems_have_the_status_and_kind_of_ckan() -> None:
    made = {
        not_authorized("no"): (403, "Authorization Error", "no"),
        not_found("gone"): (404, "Not Found Error", "gone"),
        not_found(): (404, "Not Found Error", "Not Found Error"),
        invalid({"name": ["bad", "worse"], "size": "big"}): (409, "Validation Error", "name: bad, worse; size: big"),
        missing("id"): (409, "Validation Error", "id: Missing value"),
        bad_request("what?"): (400, "Bad Request", "what?"),
    }
    for problem, (status, kind, text) in made.items():
        assert (problem.status, problem.kind, str(problem)) == (status, kind, text)
    assert Problem(500, "Kind").fields == {}


# --- who looks


ROLE = st.sampled_from(["", "member", "editor", "admin"])
RANKS = {"": 0, "member": 1, "editor": 2, "admin": 3}


@st.composite
def viewers(draw: st.DrawFn) -> Viewer:
    def places() -> dict[str, str]:
        return {one: role for one in ("a", "b") if (role := draw(ROLE))}

    return Viewer(
        user_id="u", name="u", sysadmin=draw(st.booleans()), sees_public=draw(st.booleans()),
        may_create=draw(st.frozensets(st.sampled_from(["circle", "collection"]))),
        circles=places(), collections=places(), collaborations=places(),
    )  # fmt: skip


@given(viewers(), viewers())
def test_a_viewer_includes_another_with_no_right_more(one: Viewer, other: Viewer) -> None:
    more = (
        one.sysadmin >= other.sysadmin
        and one.sees_public >= other.sees_public
        and one.may_create >= other.may_create
        and all(
            RANKS[getattr(one, kind).get(place, "")] >= RANKS[role]
            for kind in ("circles", "collections", "collaborations")
            for place, role in getattr(other, kind).items()
        )
    )
    assert one.includes(other) == more
    assert one.includes(one)
    assert (one.rights == other.rights) == (one == other)


@pytest.mark.parametrize("change", [{"user_id": "v"}, {"token_id": "t"}, {"session_id": "s"}, {"scope": "write"}])
def test_another_credential_is_another_caller(change: dict[str, str]) -> None:
    one = Viewer(user_id="u", name="u")
    assert not one.includes(replace(one, **change))  # type: ignore[arg-type]
    assert one.rights != replace(one, **change).rights  # type: ignore[arg-type]


def test_the_address_is_no_right() -> None:
    one = Viewer(user_id="u", address="192.0.2.1")
    assert one.rights == replace(one, address="192.0.2.2").rights
    assert hash(one.rights) == hash(replace(one, address="").rights)


def test_who_has_which_role() -> None:
    viewer = Viewer(user_id="u", circles={"c": "editor"}, collections={"g": "admin"})
    assert [viewer.role(one) for one in ("c", "g", "x")] == ["editor", "admin", None]
    assert ANONYMOUS.anonymous
    assert not viewer.anonymous
    assert not OPERATOR.anonymous
    assert OPERATOR.sysadmin
    assert not ANONYMOUS.sees_public
    assert (OPERATOR.name, OPERATOR.scope, OPERATOR.sees_public) == ("operator", "admin", True)
    assert (viewer.scope, viewer.sysadmin, viewer.sees_public) == ("read", False, False)
    assert roles.CAPACITIES == ("member", "editor")


@pytest.mark.parametrize(
    ("state", "private", "public"),
    [("active", False, True), ("active", True, False), ("draft", False, False), ("deleted", False, False)],
)
def test_what_everybody_sees(state: str, private: bool, public: bool) -> None:
    assert DatasetFacts("d", "c", "u", private, state).public == public
