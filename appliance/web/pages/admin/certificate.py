"""The certificate: what it says, whether it is fit, how to replace it."""

from __future__ import annotations

from flask import Blueprint

from appliance.model.problem import Problem
from appliance.tls import certificate
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import render

bp = Blueprint("admin_certificate", __name__)


@bp.get("/admin/certificate")
@allow("site:administer")
def page() -> str:
    """What clients see, and what is wrong with it."""
    try:
        found = certificate.describe(certificate.load_chain(settings().certificate))
    except Problem as problem:
        return render(
            "admin/certificate.html",
            facts=[],
            fingerprint="",
            problems=[translate(str(problem))],
            days="",
            kind="bad",
            **frame("certificate", _("Certificate")),
        )
    problems = certificate.findings(settings().certificate, settings().certificate_key, settings().server.hostname)
    kind = "bad" if found.days_left <= 7 or problems else "warn" if found.days_left <= 30 else "good"
    return render(
        "admin/certificate.html",
        facts=[
            {"name": _("Common name"), "text": found.common_name},
            {"name": _("Names"), "text": ", ".join((*found.dns, *found.ips))},
            {"name": _("Issuer"), "text": _("itself (self-signed)") if found.self_signed else found.issuer},
            {"name": _("Valid from"), "text": show.date(found.not_before.replace(tzinfo=None).isoformat())},
            {"name": _("Valid until"), "text": show.date(found.not_after.replace(tzinfo=None).isoformat())},
            {"name": _("Key"), "text": found.key_type},
            {"name": _("Serial number"), "text": found.serial},
            {"name": _("Certificates in the chain"), "text": show.integer(found.chain_length)},
        ],
        fingerprint=found.fingerprint,
        problems=[translate(line) for line in problems],
        days=ngettext("%(num)s day left", "%(num)s days left", found.days_left),
        kind=kind,
        **frame("certificate", _("Certificate")),
    )
