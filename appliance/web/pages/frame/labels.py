"""What metadata keys and features are called on a page. Units stand apart, so that they can follow the value."""

from __future__ import annotations

from typing import Any

from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

SECTIONS = {
    "experiment": N_("Experiment"),
    "setup": N_("Setup"),
    "imaging": N_("Imaging"),
    "fluorescence": N_("Fluorescence"),
    "pipeline": N_("Pipeline"),
    "online_contour": N_("Online contour"),
    "online_filter": N_("Online filter"),
    "qpi": N_("Quantitative phase imaging"),
    "fmt_tdms": N_("tdms format"),
    "user": N_("User-defined"),
}

#: (section, key) → (label, unit)
_CONFIG: dict[str, tuple[str, str]] = {
    "experiment:date": (N_("Date of measurement"), ""),
    "experiment:event count": (N_("Number of events"), ""),
    "experiment:run identifier": (N_("Run identifier"), ""),
    "experiment:run index": (N_("Run index"), ""),
    "experiment:sample": (N_("Sample name"), ""),
    "experiment:time": (N_("Start time of measurement"), ""),
    "experiment:timestamp": (N_("Timestamp"), "s"),
    "fluorescence:bit depth": (N_("Trace bit depth"), ""),
    "fluorescence:channel 1 name": (N_("Channel 1"), ""),
    "fluorescence:channel 2 name": (N_("Channel 2"), ""),
    "fluorescence:channel 3 name": (N_("Channel 3"), ""),
    "fluorescence:channel count": (N_("Active channels"), ""),
    "fluorescence:channels installed": (N_("Channels installed"), ""),
    "fluorescence:baseline 1 offset": (N_("Baseline offset 1"), ""),
    "fluorescence:baseline 2 offset": (N_("Baseline offset 2"), ""),
    "fluorescence:baseline 3 offset": (N_("Baseline offset 3"), ""),
    "fluorescence:laser 1 lambda": (N_("Laser 1 wavelength"), "nm"),
    "fluorescence:laser 1 power": (N_("Laser 1 power"), "%"),
    "fluorescence:laser 2 lambda": (N_("Laser 2 wavelength"), "nm"),
    "fluorescence:laser 2 power": (N_("Laser 2 power"), "%"),
    "fluorescence:laser 3 lambda": (N_("Laser 3 wavelength"), "nm"),
    "fluorescence:laser 3 power": (N_("Laser 3 power"), "%"),
    "fluorescence:laser count": (N_("Active lasers"), ""),
    "fluorescence:lasers installed": (N_("Lasers installed"), ""),
    "fluorescence:sample rate": (N_("Trace sample rate"), "Hz"),
    "fluorescence:samples per event": (N_("Samples per event"), ""),
    "fluorescence:signal max": (N_("Upper voltage detection limit"), "V"),
    "fluorescence:signal min": (N_("Lower voltage detection limit"), "V"),
    "fluorescence:trace median": (N_("Rolling median filter size"), ""),
    "imaging:flash device": (N_("Light source"), ""),
    "imaging:flash duration": (N_("Flash duration"), "µs"),
    "imaging:frame rate": (N_("Frame rate"), "Hz"),
    "imaging:pixel size": (N_("Pixel size"), "µm"),
    "imaging:roi position x": (N_("Image position x"), "px"),
    "imaging:roi position y": (N_("Image position y"), "px"),
    "imaging:roi size x": (N_("Image width"), "px"),
    "imaging:roi size y": (N_("Image height"), "px"),
    "pipeline:dcnum background": (N_("Background"), ""),
    "pipeline:dcnum data": (N_("Data"), ""),
    "pipeline:dcnum feature": (N_("Features"), ""),
    "pipeline:dcnum gate": (N_("Gate"), ""),
    "pipeline:dcnum generation": (N_("Generation"), ""),
    "pipeline:dcnum hash": (N_("Pipeline hash"), ""),
    "pipeline:dcnum mapping": (N_("Mapping"), ""),
    "pipeline:dcnum segmenter": (N_("Segmenter"), ""),
    "pipeline:dcnum yield": (N_("Yield"), ""),
    "setup:channel width": (N_("Channel width"), "µm"),
    "setup:chip identifier": (N_("Chip identifier"), ""),
    "setup:chip region": (N_("Chip region"), ""),
    "setup:flow rate": (N_("Flow rate"), "µL/s"),
    "setup:flow rate sample": (N_("Sample flow rate"), "µL/s"),
    "setup:flow rate sheath": (N_("Sheath flow rate"), "µL/s"),
    "setup:identifier": (N_("Setup identifier"), ""),
    "setup:medium": (N_("Medium"), ""),
    "setup:module composition": (N_("Modules"), ""),
    "setup:software version": (N_("Software"), ""),
    "setup:temperature": (N_("Mean chip temperature"), "°C"),
}

#: (section, key) → values that are words of the format and not names that somebody gave
_VALUES: dict[str, dict[str, str]] = {"setup:chip region": {"channel": N_("channel"), "reservoir": N_("reservoir")}}

#: feature → (label, unit)
_FEATURES: dict[str, tuple[str, str]] = {
    "area_cvx": (N_("Convex area"), "px²"),
    "area_msd": (N_("Measured area"), "px²"),
    "area_ratio": (N_("Porosity (convex to measured area)"), ""),
    "area_um": (N_("Area"), "µm²"),
    "area_um_raw": (N_("Area, raw contour"), "µm²"),
    "aspect": (N_("Aspect ratio of bounding box"), ""),
    "bright_avg": (N_("Brightness average"), ""),
    "bright_sd": (N_("Brightness deviation"), ""),
    "bright_bc_avg": (N_("Brightness average, background corrected"), ""),
    "bright_bc_sd": (N_("Brightness deviation, background corrected"), ""),
    "bright_perc_10": (N_("10th percentile of brightness"), ""),
    "bright_perc_90": (N_("90th percentile of brightness"), ""),
    "bg_med": (N_("Median background brightness"), ""),
    "bg_off": (N_("Background offset"), ""),
    "circ": (N_("Circularity"), ""),
    "deform": (N_("Deformation"), ""),
    "deform_raw": (N_("Deformation, raw contour"), ""),
    "ecc_prnc": (N_("Eccentricity of raw contour"), ""),
    "emodulus": (N_("Young's modulus"), "kPa"),
    "frame": (N_("Video frame number"), ""),
    "index": (N_("Index (dataset)"), ""),
    "index_online": (N_("Index (online)"), ""),
    "inert_ratio_cvx": (N_("Inertia ratio of convex contour"), ""),
    "inert_ratio_prnc": (N_("Principal inertia ratio of raw contour"), ""),
    "inert_ratio_raw": (N_("Inertia ratio of raw contour"), ""),
    "nevents": (N_("Events in the image"), ""),
    "pc1": (N_("Principal component 1"), ""),
    "pc2": (N_("Principal component 2"), ""),
    "per_ratio": (N_("Perimeter ratio of raw contour"), ""),
    "per_um_raw": (N_("Perimeter of raw contour"), "µm"),
    "pos_x": (N_("Position along channel axis"), "µm"),
    "pos_y": (N_("Position across channel axis"), "µm"),
    "pressure": (N_("Pressure"), "mPa"),
    "size_x": (N_("Bounding box size x"), "µm"),
    "size_y": (N_("Bounding box size y"), "µm"),
    "temp": (N_("Chip temperature"), "°C"),
    "temp_amb": (N_("Ambient temperature"), "°C"),
    "tilt": (N_("Absolute tilt of raw contour"), ""),
    "time": (N_("Event time"), "s"),
    "volume": (N_("Volume"), "µm³"),
    "g_force": (N_("Gravitational force"), "g"),
    "flow_rate": (N_("Flow rate"), "µL/s"),
}
_FLUORESCENCE = {
    "area": (N_("FL-%(channel)s area of peak"), ""),
    "dist": (N_("FL-%(channel)s distance between the first two peaks"), "µs"),
    "max": (N_("FL-%(channel)s maximum"), ""),
    "max_ctc": (N_("FL-%(channel)s maximum, crosstalk-corrected"), ""),
    "npeaks": (N_("FL-%(channel)s number of peaks"), ""),
    "pos": (N_("FL-%(channel)s position of peak"), "µs"),
    "width": (N_("FL-%(channel)s width"), "µs"),
}

#: heading → what the names of its features begin with
_GROUPS: dict[str, tuple[str, ...]] = {
    N_("Shape"): ("area_", "aspect", "size_", "volume", "per_", "pos_", "nevents"),
    N_("Deformation"): ("deform", "circ", "inert_", "ecc_", "tilt", "emodulus"),
    N_("Fluorescence"): ("fl1_", "fl2_", "fl3_"),
    N_("Brightness"): ("bright_", "bg_", "tex_", "qpi_"),
    N_("Time and setup"): ("time", "frame", "index", "temp", "pressure", "flow_rate", "g_force"),
    N_("Machine learning"): ("ml_",),
}


def grouped(names: list[str]) -> list[dict[str, Any]]:
    """Features by group, [{title, names}]; those that belong to none come last."""
    found: list[dict[str, Any]] = []
    left = list(names)
    for title, beginnings in _GROUPS.items():
        members = [name for name in left if name.startswith(beginnings)]
        left = [name for name in left if name not in members]
        if members:
            found.append({"title": _(title), "names": members})
    return [*found, {"title": _("Other"), "names": left}] if left else found


def section(key: str) -> str:
    """The heading of a metadata section."""
    return _(SECTIONS[key]) if key in SECTIONS else key.replace("_", " ").capitalize()


def value(section_key: str, text: str) -> str:
    """What a value of the metadata key ``section:key`` is called; what people entered stands for itself."""
    known = _VALUES.get(section_key, {})
    return _(known[text]) if text in known else text


def config(section_key: str) -> tuple[str, str]:
    """Label and unit of the metadata key ``section:key``; unknown keys stand for themselves."""
    if section_key in _CONFIG:
        label, unit = _CONFIG[section_key]
        return _(label), unit
    return section_key.partition(":")[2].capitalize() or section_key, ""


def feature(name: str) -> tuple[str, str]:
    """Label and unit of a scalar feature; unknown ones (``userdef1``) stand for themselves."""
    if name in _FEATURES:
        label, unit = _FEATURES[name]
        return _(label), unit
    if name[:2] == "fl" and name[2:3] in "123" and name[3:4] == "_" and name[4:] in _FLUORESCENCE:
        label, unit = _FLUORESCENCE[name[4:]]
        return _(label, channel=name[2]), unit
    if name.startswith("ml_score_"):
        return _("Score of class %(name)s", name=name[9:].upper()), ""
    return name, ""


def title(name: str) -> str:
    """Label of a scalar feature with its unit: "Area [µm²]"."""
    text, unit = feature(name)
    return f"{text} [{unit}]" if unit else text
