"""Choices and sentences about Young's modulus, for the explorer and for comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.model import youngs_modulus
from appliance.model.problem import invalid
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate

_TABLES = {
    "LE-2D-FEM-19": N_("linear elastic, 2D"),
    "HE-2D-FEM-22": N_("hyperelastic, 2D"),
    "HE-3D-FEM-22": N_("hyperelastic, 3D"),
}
_SOURCES = {
    "given": N_("as entered"),
    "events": N_("measured with each event"),
    "metadata": N_("from the metadata"),
}


def asked(values: Mapping[str, str]) -> youngs_modulus.Conditions | None:
    """The conditions in an address; None without. Raises Problem 409."""
    try:
        return youngs_modulus.from_address(values)
    except ValueError as error:
        raise invalid({"lut": [str(error)]}) from error


def choices(values: Mapping[str, str]) -> dict[str, Any]:
    """Options of the fields, with those chosen that are in `values`."""
    return {
        "tables": [
            {"value": one, "text": f"{one} ({_(text)})", "on": values.get("lut") == one}
            for one, text in _TABLES.items()
        ],
        "media": [{"value": one, "text": one, "on": values.get("medium") == one} for one in youngs_modulus.MEDIA],
        "models": [{"value": one, "text": one, "on": values.get("model") == one} for one in youngs_modulus.MODELS],
        "temperature": values.get("temperature", ""),
        "viscosity": values.get("viscosity", ""),
    }


def sentence(found: Mapping[str, Any]) -> str:
    """Under which conditions a measurement's modulus was computed, or why it was not."""
    if "reason" in found:
        return translate(str(found["reason"]))
    known = found["conditions"]
    parts = [known["lut"], known["medium"]]
    if known["temperature"] is not None:
        parts.append(f"{show.number(known['temperature'], 4)} °C ({_(_SOURCES[known['source']])})")
    parts += [f"{show.number(known['viscosity'], 4)} mPa s", known["model"]]
    return ", ".join(one for one in parts if one)


def words() -> dict[str, Any]:
    """Texts of the explorer's panel."""
    return {
        "failed": _("Young's modulus cannot be computed at the moment."),
        "pixels": _("Corrected for pixelation."),
        "axes": _("There are no isoelasticity lines for these axes; choose area and deformation."),
        "sources": {key: _(text) for key, text in _SOURCES.items()},
    }
