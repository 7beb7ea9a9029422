"""Every page that people can get to see, in the state in which it is looked at: by axe, for its width, on pictures.

An entry is a path, or ``POST path?fields`` for a page that answers a form. ``FILE`` is a measurement whose jobs are done.
A page that is in no entry fails `tests.web.pages.test_pages_routes`.
"""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.every_state import Showroom

#: who looks → what; "" is a stranger.
PAGES: dict[str, tuple[str, ...]] = {
    "": (
        "/", "/user/login", "POST /user/login?login=nobody&password=wrong", "POST /user/login/code?code=1", "/user/password/{secret}",
        "POST /user/password/{secret}?password=a&again=b", "/connect", "/about", "/help", "/help/user-guide", "/contact", "/imprint",
        "/privacy", "/user/register", "POST /user/register?name=Not+good&email=nowhere&password=short", "/nothing-here",
    ),
    "ada": (
        "/", "/dataset", "/dataset?q=zzzz", "/dataset?sample=channel&flow_min=0.01", "/measurements", "/measurements?q=zzzz&verdict=bad", "/instruments", "/instrument?device=ZMDD-AcC-demo00-000001&show=all", "/compare", "/compare?r={draft_file}&r={private_file}", "/organization", "/organization/lab", "/organization/lab/about",
        "/organization/lab/members", "POST /organization/lab/members?username=nobody&role=member", "/organization/lab/edit",
        "POST /organization/lab/edit?title=Lab", "/organization/new", "POST /organization/new?name=Not+good",
        "POST /organization/lab/members/remove?username=ada", "/group", "/group?q=zzzz", "/group/study", "/group/study/about", "/group/study/members",
        "POST /group/study/members?username=nobody&role=member", "POST /group/study/members/remove?username=nobody", "/group/study/edit",
        "POST /group/study/edit?title=Study", "/group/new", "POST /group/new?name=Not+good", "/dashboard", "/dashboard?show=drafts", "/comparisons", "/comparisons/{comparison}", "/comparisons/{comparison}/people", "POST /comparisons/{comparison}/share?username=nobody", "POST /comparisons/{comparison}/delete", "POST /comparisons?title=", "/searches", "/searches/new?page=measurements&query=q%3Dblood", "POST /searches?page=measurements&title=", "/searches/{search}", "/searches/{search}/rename", "POST /searches/{search}/rename?title=", "POST /searches/{search}/delete", "POST /comparisons/{comparison}/unshare?username=nobody",
        "/dashboard?show=deleted", "/notifications", "/requests", "POST /dashboard/selection?do=delete&id={draft}", "POST /dashboard/selection?do=delete", "/dashboard?show=shared", "/upload", "POST /upload?title=", "/dataset/{public}", "/dataset/{public}/edit", "/dataset/{public}/share",
        "POST /dataset/{public}/share?username=nobody", "/dataset/{public}/collections", "/dataset/{public}/version", "/dataset/{public}/purge", "/dataset/{draft}",
        "/dataset/{draft}/edit", "POST /dataset/{draft}/edit?title=Draft+of+neutrophils&doi=nonsense+with+spaces", "/dataset/{draft}/activate", "/dataset/{draft}/delete",
        "POST /dataset/{empty}/activate", "/dataset/{empty}", "/dataset/{empty}/activate", "/dataset/{draft}/upload", "/dataset/{draft}/files", "POST /dataset/{draft}/files?do=sort", "POST /dataset/{draft}/files?do=remove",
        "/dataset/{draft}/supplements", "POST /dataset/{draft}/supplements?table=nothing", "POST /dataset/{draft}/supplements?table=file,cells:organism%0AM1_beads.rtdc,Mus",
        "/dataset/{draft}/resource/{draft_file}/edit", "POST /dataset/{draft}/resource/{draft_file}/edit?all=1&sp:cells:organism=Mus", "POST /dataset/{draft}/resource/{draft_file}/edit?sp:chip:channel+width=wide",
        "POST /dataset/selection?do=collection&id={public}&id={draft}", "POST /dataset/selection?do=collection", "/user/ada",
        "POST /user/ada?email=nowhere", "POST /user/ada/sessions/none/end", "POST /user/ada/api-tokens/{token}/revoke", "POST /organization/lab/leave", "POST /group/study/delete",
        "POST /dataset/{public}/unshare?username=kim", "POST /user/ada/password?old=wrong&password=a&again=b", "/user/ada/sessions", "/user/ada/two-step", "POST /user/ada/two-step/confirm?code=1", "POST /user/ada/two-step/codes?code=1", "POST /user/ada/two-step/off?code=1", "POST /user/ada/two-step?password=correct+horse+1+battery", "/user/ada/api-tokens",
        "POST /user/ada/api-tokens?name=lab+PC&scope=read&days=30", "/user/ada/access-file", "POST /user/ada/access-file?passphrase=short",
        "/dataset/{odd}", "/dataset/{odd}/activate", "/dataset/{odd}/edit", "/dataset/{odd}/upload", "/dataset/{odd}/resource/{odd_1}",
        "/dataset/{odd}/resource/{odd_2}", "/dataset/{odd}/resource/{odd_3}", "/dataset/{odd}/resource/{odd_4}", "/dataset/{odd}/resource/{odd_5}",
        "/dataset/{thousand}", "/organization/long-circle", "/organization/long-circle/members", "/organization/empty-circle",
        "/group/long-collection", "POST /user/eve", "FILE",
    ),
    "eve": ("/dataset/{draft}", "POST /dataset/{draft}/request-access?message=Please", "/dataset/{public}/edit", "/notifications", "/requests", "/dashboard", "/dashboard?show=drafts", "/dataset/{private}", "/upload"),
    "root": (
        "/admin", "/admin/checks", "POST /admin/checks/repair", "/admin/users", "/admin/users?q=zzzz", "/admin/users/new",
        "POST /admin/users/new?name=Not+good", "POST /admin/users/new?name=fresh{number}&email=fresh{number}@example.org", "/admin/users/ada", "POST /admin/users/ada/disable", "POST /organization/lab/delete",
        "POST /admin/users/eve/enable", "POST /admin/users/kim/link", "POST /admin/users/kim/setup-code", "/admin/jobs", "/admin/jobs?state=failed", "/admin/storage",
        "/admin/backups", "POST /admin/backups/{backup}/verify", "POST /admin/backups/{broken_backup}/verify", "/admin/backups/{backup}", "POST /admin/backups/{backup}/contents?key={backup_key}",
        "/admin/backups/{backup}/restore/dataset/beads", "POST /admin/backups/{backup}/restore/dataset/beads?key={backup_key}",
        "/admin/trash", "POST /admin/trash/restore?kind=dataset&id={draft}", "/admin/certificate",
        "/admin/audit", "/admin/incidents", "/admin/incidents/{incident}", "/admin/notices", "/admin/settings", "POST /admin/settings?key=depot.max_upload&value=much", "/dataset/{public}/delete", "/dataset/{public}/publish",
    ),
}  # fmt: skip

_numbers = itertools.count(1)


def address(entry: str, showroom: Showroom) -> str:
    """The path (for a form: with its fields) of an entry, with what the showroom holds filled in."""
    if entry == "FILE":
        return f"/dataset/{showroom.public['id']}/resource/{showroom.file['id']}"
    return showroom.filled(entry.removeprefix("POST "), number=next(_numbers))


def label(entry: str) -> str:
    """A file name for the picture of an entry."""
    text = "".join(character if character.isalnum() or character in "-_" else "_" for character in entry.strip("/"))
    return text.strip("_")[:80] or "front"


_SEND = """([path, fields]) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = path;
  for (const [name, value] of fields) {
    const input = document.createElement("input");
    input.type = "hidden"; input.name = name; input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}"""


def show(page: Any, entry: str, showroom: Showroom) -> None:
    """Bring a browser's page to an entry and wait until nothing is on its way any more."""
    target = address(entry, showroom)
    if entry.startswith("POST "):
        page.goto("/about")
        parts = urlsplit(target)
        fields = [[name, value] for name, values in parse_qs(parts.query, True).items() for value in values]
        with page.expect_navigation():
            page.evaluate(_SEND, [parts.path, fields])
    else:
        page.goto(target)
    page.wait_for_load_state("networkidle")
    if entry == "FILE":
        page.wait_for_selector("#explorer[data-ready]")
        page.locator("[data-next]").click()
        page.wait_for_selector("[data-event-image]:not([hidden])")
