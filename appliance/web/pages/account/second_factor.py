"""Two-step sign-in of one's own account: an authenticator app, recovery codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import segno
from flask import Blueprint, make_response, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from appliance.actions import login, second_factor, second_factor_setup
from appliance.model.problem import Problem, not_found
from appliance.store import second_factors
from appliance.web.pages.account import frame as account
from appliance.web.pages.account.tokens import owner
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("second_factor", __name__)


@bp.get("/user/<name>/two-step")
@allow("user:read")
def page(name: str) -> str:
    """Is it on, and the forms to turn it on or off."""
    return _page(owner(name))


@bp.post("/user/<name>/two-step")
@allow("user:update")
def begin(name: str) -> Any:
    """Show the secret for the app, this once."""
    row = _own(name)

    def show_secret() -> Response:
        """The page with the secret."""
        password, permit = request.form.get("password", ""), request.form.get("setup_code", "")
        enrolment = second_factor_setup.begin(site(), viewer(), password, permit)
        return _once(_page(row, enrolment=enrolment))

    return _answered(row, "password", show_secret)


@bp.post("/user/<name>/two-step/confirm")
@allow("user:update")
def confirm(name: str) -> Any:
    """The first code turns it on; the recovery codes are shown, this once."""
    row = _own(name)

    def show_codes() -> Response:
        """The page with the codes."""
        code, permit = request.form.get("code", ""), request.form.get("setup_code", "")
        codes = second_factor_setup.confirm(site(), viewer(), code, permit)
        return _once(_page(row, codes=codes))

    return _answered(row, "confirm", show_codes)


@bp.post("/user/<name>/two-step/codes")
@allow("user:update")
def renew(name: str) -> Any:
    """New recovery codes, shown this once."""
    row = _own(name)

    def show_codes() -> Response:
        """The page with the codes."""
        password, code = request.form.get("password", ""), request.form.get("code", "")
        return _once(_page(row, codes=second_factor_setup.renew_codes(site(), viewer(), password, code)))

    return _answered(row, "manage", show_codes)


@bp.post("/user/<name>/two-step/off")
@allow("user:update")
def turn_off(name: str) -> Any:
    """Turn it off."""
    row = _own(name)

    def off() -> Response:
        """Back to the page."""
        second_factor_setup.turn_off(site(), viewer(), request.form.get("password", ""), request.form.get("code", ""))
        return back_to(f"/user/{row['name']}/two-step", done="two-step-off")

    return _answered(row, "manage", off)


def _own(name: str) -> sqlite3.Row:
    """The viewer's own account. Raises Problem 404 for another's: that is `dcor user totp-off`."""
    row = owner(name)
    if row["id"] != viewer().user_id:
        raise not_found()
    return row


def _answered(row: sqlite3.Row, form: str, act: Callable[[], Response]) -> Any:
    """What `act` answers, or the page with what is wrong in `form`."""
    try:
        return act()
    except (login.TooManyAttempts, second_factor.TooManyCodes) as problem:
        wait = _("Too many attempts. Try again in %(time)s.", time=show.duration(problem.wait))
        return _page(row, form=form, errors={"form": wait}), 429
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(row, form=form, errors=messages(problem)), 409


def _once(text: str) -> Response:
    response = make_response(text)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(
    row: sqlite3.Row,
    *,
    enrolment: second_factor_setup.Enrolment | None = None,
    codes: list[str] | None = None,
    form: str = "",
    errors: dict[str, str] | None = None,
) -> str:
    found = second_factors.find(conn(), row["id"])
    is_on = found is not None and found["since"] is not None
    managed = not second_factor_setup.offered(conn(), settings(), row["id"])
    own = row["id"] == viewer().user_id
    return render(
        "account/two-step.html",
        title=_("Two-step sign-in"),
        **account.frame(row, "two-step"),
        on=_("On since %(date)s.", date=show.date(found["since"])) if found is not None and is_on else "",
        left=_("Recovery codes left: %(count)s", count=second_factors.recovery_codes_left(conn(), row["id"])),
        managed=managed and not is_on,
        offered=own and not managed and not is_on and enrolment is None and form != "confirm",
        confirming=own and not is_on and (enrolment is not None or form == "confirm"),
        manageable=own and is_on,
        secret=enrolment.text if enrolment is not None else "",
        picture=_picture(enrolment.address) if enrolment is not None else "",
        codes="\n".join(codes or []),
        demanded=bool(row["sysadmin"]) and settings().policy.administrators_totp and not is_on and not managed,
        permitted=own and second_factor_setup.needs_permit(conn(), settings(), row, viewer().session_id),
        setup_code=request.form.get("setup_code", ""),
        administrator=bool(row["sysadmin"]),
        form=form,
        errors=errors or {},
    )


def _picture(address: str) -> Markup:
    """A QR code, dark on white in every theme: apps read no others."""
    code = segno.make(address, error="m")
    drawn = code.svg_inline(scale=5, border=4, light="white", omitsize=True, svgclass="qr-code", lineclass=None)
    return Markup(drawn)  # noqa: S704 - drawn by the library: a path of numbers  # nosec B704
