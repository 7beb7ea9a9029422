"""Young's modulus and isoelasticity lines: dclab's look-up tables, viscosities, scaling and correction of pixelation."""

from __future__ import annotations

import functools
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from dclab import isoelastics
from dclab.features import emodulus
from dclab.features.emodulus.viscosity import ALIAS_MEDIA

from appliance.model import event_files
from appliance.model.messages import Message
from appliance.model.youngs_modulus import FEATURE, Conditions

from .errors import RtdcError, explained, shown
from .features import Array
from .opening import SafeRTDC

#: Results of this process, which are asked for again with each statistics, picture and gate.
_known: weakref.WeakKeyDictionary[SafeRTDC, dict[Conditions, Array]] = weakref.WeakKeyDictionary()
_MOST_KNOWN = 4


class Scalars:
    """Reads scalar features by name. With `conditions`, Young's modulus is computed under them instead of read.

    :ivar reasons: why a feature cannot be had, by name, as far as that is more than that it is missing.
    """

    def __init__(
        self, dataset: SafeRTDC, condensed: SafeRTDC | None, conditions: Conditions | None, stored: Any
    ) -> None:
        self._dataset, self._condensed, self._conditions, self._stored = dataset, condensed, conditions, stored
        self.reasons: dict[str, str] = {}

    def __call__(self, name: str) -> Array:
        """→ the values. Raises RtdcError."""
        if name != FEATURE or self._conditions is None:
            return np.asarray(self._stored(name, self._dataset, self._condensed))
        try:
            return self._modulus(self._conditions)
        except RtdcError as error:
            self.reasons[name] = str(error)
            raise

    def setting(self, conditions: Conditions) -> Setting:
        """What holds for this measurement. Raises RtdcError with the reason why Young's modulus cannot be had."""
        return Setting(self._dataset, conditions, self._temperatures)

    def _temperatures(self) -> Array | None:
        try:
            values = np.asarray(self._stored("temp", self._dataset, self._condensed))
        except RtdcError:
            return None
        return values if len(values) == len(self._dataset) else None

    def _modulus(self, conditions: Conditions) -> Array:
        made = _known.setdefault(self._dataset, {})
        if conditions not in made:
            area, deform = (self._stored(name, self._dataset, self._condensed) for name in ("area_um", "deform"))
            if len(made) >= _MOST_KNOWN:
                made.pop(next(iter(made)))
            made[conditions] = self.setting(conditions).modulus(area, deform)
        return made[conditions]


class Setting:
    """Medium, channel, flow and temperature of a measurement, from its metadata or as asked for.

    :raises RtdcError: `features`, with a sentence that says what is missing.
    """

    def __init__(self, dataset: SafeRTDC, conditions: Conditions, temperatures: Any) -> None:
        setup, imaging = dataset.config.get("setup", {}), dataset.config.get("imaging", {})
        if setup.get("chip region", "channel") != "channel":
            raise RtdcError(
                "features",
                Message("Young's modulus is defined in the channel only; this was measured in the reservoir."),
            )
        self.conditions = conditions
        width, flow = (_positive(setup.get(key)) for key in ("channel width", "flow rate"))
        pixel = _positive(imaging.get("pixel size"))
        if width is None:
            raise RtdcError("features", Message("The measurement does not say how wide its channel is."))
        if flow is None:
            raise RtdcError("features", Message("The measurement does not say its flow rate."))
        if pixel is None:
            raise RtdcError(
                "features",
                Message("The measurement does not say how large a pixel is, which the correction of pixelation needs."),
            )
        self.width, self.flow, self.pixel = width, flow, pixel
        self.medium, self.source = "", ""
        self.temperature: float | None = None
        self._per_event: Array | None = None
        if conditions.viscosity is None:
            self._find_medium(setup.get("medium"))
            self._find_temperature(setup.get("temperature"), temperatures)

    def _find_medium(self, known: Any) -> None:
        medium = self.conditions.medium or ALIAS_MEDIA.get(
            str(known or ""), ALIAS_MEDIA.get(str(known or "").lower(), "")
        )
        if not medium:
            if known:
                raise RtdcError(
                    "features",
                    Message(
                        "The viscosity of the medium '%(name)s' is not known. Choose a medium or enter a viscosity.",
                        name=shown(str(known)[:40]),
                    ),
                )
            raise RtdcError(
                "features", Message("The measurement does not name its medium. Choose one or enter a viscosity.")
            )
        if medium == "0.83% MC-PBS" and self.conditions.model == "herold-2017":
            raise RtdcError(
                "features",
                Message("The model herold-2017 does not know 0.83% MC-PBS; choose buyukurganci-2022."),
            )
        self.medium = medium

    def _find_temperature(self, known: Any, temperatures: Any) -> None:
        if self.conditions.temperature is not None:
            self.temperature, self.source = self.conditions.temperature, "given"
            return
        self._per_event = temperatures()
        if self._per_event is not None and np.isfinite(self._per_event).any():
            self.temperature, self.source = float(np.nanmean(self._per_event)), "events"
        elif isinstance(known, int | float) and np.isfinite(known):
            self.temperature, self.source = float(known), "metadata"
        else:
            raise RtdcError("features", Message("The measurement does not say its temperature. Enter one."))

    def modulus(self, area: Array, deform: Array) -> Array:
        """→ Young's modulus [kPa] of each event, as dclab's `get_emodulus` gives it."""
        given = self.conditions
        own = given.viscosity is not None
        with explained(Message("computing Young's modulus")), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(
                emodulus.get_emodulus(
                    area_um=area,
                    deform=deform,
                    medium=given.viscosity if own else self.medium,
                    channel_width=self.width,
                    flow_rate=self.flow,
                    px_um=self.pixel,
                    temperature=None if own else self._per_event if self.source == "events" else self.temperature,
                    lut_data=given.lut,
                    visc_model=None if own else given.model,
                )
            )

    def viscosity(self) -> float:
        """→ viscosity [mPa s] at the (mean) temperature."""
        if self.conditions.viscosity is not None:
            return self.conditions.viscosity
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(
                emodulus.get_viscosity(
                    medium=self.medium,
                    channel_width=self.width,
                    flow_rate=self.flow,
                    temperature=self.temperature,
                    model=self.conditions.model,
                )
            )

    def described(self) -> dict[str, Any]:
        """→ what holds: {lut, medium, temperature, source, viscosity, model, width, flow, pixel}."""
        return {
            "lut": self.conditions.lut,
            "medium": self.medium,
            "temperature": self.temperature,
            "source": self.source,
            "viscosity": self.viscosity(),
            "model": "" if self.conditions.viscosity is not None else "kestin-1978" if self.medium == "water" else self.conditions.model,
            "width": self.width,
            "flow": self.flow,
            "pixel": self.pixel,
        }  # fmt: skip

    def lines(self, x: str, y: str) -> list[dict[str, Any]]:
        """→ [{emodulus, points}] of dclab's isoelasticity lines, with the error of pixelation that the events have, too; [] for other axes."""
        try:
            found = _isoelastics().get(
                col1=x,
                col2=y,
                lut_identifier=self.conditions.lut,
                channel_width=self.width,
                flow_rate=self.flow,
                viscosity=self.viscosity(),
                add_px_err=True,
                px_um=self.pixel,
            )
        except (KeyError, ValueError):
            return []
        return [{"emodulus": float(one[0, 2]), "points": one[:, :2].tolist()} for one in found]


def elasticity(request: dict[str, Any], read: Scalars, events: int) -> dict[str, Any]:
    """Request: `young`, `x`, `y`. → {conditions, lines}, or {reason} where it does not apply."""
    try:
        setting = read.setting(Conditions(**request["young"]))
        return {"conditions": setting.described(), "lines": setting.lines(str(request["x"]), str(request["y"]))}
    except RtdcError as error:
        return {"reason": str(error)}


def column(read: Scalars, columns: str | None, events: int) -> bytes:
    """→ float32 bytes: Young's modulus of the events that stand in ``columns.bin`` at the path `columns`. Raises RtdcError."""
    values = read(FEATURE)
    rows = None
    if columns is not None:
        with Path(columns).open("rb") as file:
            rows = event_files.columns_index(file)
    if rows is not None:
        numbers = np.asarray(rows, dtype=np.int64)
        if numbers.size and numbers.max() >= events:
            raise RtdcError("damaged", Message("The table of this file does not belong to it."))
        values = values[numbers]
    return np.asarray(values, dtype="<f4").tobytes()


@functools.cache
def _isoelastics() -> isoelastics.Isoelastics:
    return isoelastics.get_default()


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) and value > 0 else None
