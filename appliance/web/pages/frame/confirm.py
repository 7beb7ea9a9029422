"""Asking before something is taken away. It works without scripts, and no request gets past it by mistake."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from appliance.web.pages.frame.render import render


def question(
    title: str, text: str, button: str, *, back: str, items: Sequence[str] = (), takes: bool = True
) -> str | None:
    """The page that asks, or None when the reader has answered it with yes.

    Call it when the policy has been asked and before anything changes. The page sends the same form again.

    :param text: what will happen, in one or two sentences.
    :param items: what it happens to, one line each.
    :param back: where "Cancel" leads.
    :param takes: is something taken away? Otherwise it is given back, and the page does not warn.
    """
    if request.form.get("confirmed") == "yes":
        return None
    carried = [(key, value) for key, value in request.form.items(multi=True) if key != "confirmed"]
    return render(
        "confirm.html",
        title=title,
        text=text,
        button=button,
        back=back,
        items=items,
        takes=takes,
        carried=carried,
        action=request.path,
    )
