"""Under which conditions Young's modulus is computed: what clients and links may ask for, with the names of dclab."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from appliance.model.messages import Message

#: dclab's look-up tables: identifier → of what they were made.
TABLES = {
    "LE-2D-FEM-19": "linear elastic, axially symmetric (Wittwer et al. 2020)",
    "HE-2D-FEM-22": "hyperelastic, axially symmetric (Wittwer et al. 2022)",
    "HE-3D-FEM-22": "hyperelastic, three-dimensional (Wittwer et al. 2022)",
}
#: Media of which dclab knows the viscosity.
MEDIA = ("0.49% MC-PBS", "0.59% MC-PBS", "0.83% MC-PBS", "water")
#: dclab's models of the viscosity of MC-PBS; water has one of its own.
MODELS = ("buyukurganci-2022", "herold-2017")
FEATURE = "emodulus"
_KEYS = ("lut", "medium", "temperature", "viscosity", "model")
#: Temperatures that are accepted [°C], and viscosities [mPa s].
_TEMPERATURES = (0.0, 60.0)
_VISCOSITIES = (0.01, 1000.0)


@dataclass(frozen=True)
class Conditions:
    """Conditions; "" and None mean: as the measurement says.

    :ivar temperature: [°C]. :ivar viscosity: [mPa s], in place of medium, temperature and model.
    """

    lut: str = "LE-2D-FEM-19"
    medium: str = ""
    temperature: float | None = None
    viscosity: float | None = None
    model: str = "buyukurganci-2022"

    def asked(self) -> dict[str, Any]:
        """As JSON for a reader."""
        return asdict(self)


def checked(given: Any) -> Conditions:
    """From what a client sent. Raises ValueError with a sentence about the first thing that is wrong."""
    if not isinstance(given, Mapping):
        raise ValueError(Message("The conditions must be an object"))
    unknown = [key for key in given if key not in _KEYS]
    if unknown:
        raise ValueError(
            Message("'%(key)s' is not known; there are %(names)s", key=str(unknown[0])[:40], names=", ".join(_KEYS))
        )
    lut = _one_of(given.get("lut") or "LE-2D-FEM-19", tuple(TABLES), "lut")
    medium = _one_of(given.get("medium") or "", ("", *MEDIA), "medium")
    model = _one_of(given.get("model") or MODELS[0], MODELS, "model")
    temperature = _number(given.get("temperature"), _TEMPERATURES, "temperature")
    viscosity = _number(given.get("viscosity"), _VISCOSITIES, "viscosity")
    if viscosity is not None and (medium or temperature is not None):
        raise ValueError(Message("Give either a viscosity, or medium and temperature"))
    if medium == "0.83% MC-PBS" and model == "herold-2017":
        raise ValueError(Message("The model herold-2017 does not know 0.83% MC-PBS; use buyukurganci-2022"))
    return Conditions(lut, medium, temperature, viscosity, model)


def from_address(asked: Mapping[str, str]) -> Conditions | None:
    """From the parameters of an address; None unless it names a look-up table. Raises ValueError."""
    if not asked.get("lut"):
        return None
    return checked({key: asked[key] for key in _KEYS if asked.get(key)})


def _one_of(value: Any, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise ValueError(
            Message("'%(name)s' must be one of %(names)s", name=name, names=", ".join(one for one in known if one))
        )
    return str(value)


def _number(value: Any, limits: tuple[float, float], name: str) -> float | None:
    if value in (None, ""):
        return None
    try:
        number = float(value.strip().replace(",", ".")) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not limits[0] <= number <= limits[1]:
        raise ValueError(
            Message(
                "'%(name)s' must be a number from %(low)s to %(high)s",
                name=name,
                low=f"{limits[0]:g}",
                high=f"{limits[1]:g}",
            )
        )
    return number
