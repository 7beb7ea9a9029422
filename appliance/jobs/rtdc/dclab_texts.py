"""What dclab's integrity checks say, as messages: the same words, with a template that pages translate.

dclab gives finished English sentences. A sentence that no template fits stays a text; a test compares with dclab's source.
"""

from __future__ import annotations

import re

from appliance.model.messages import Message

#: dclab's sentences with places for what it fills in; of several that fit, the first one counts.
TEMPLATES = (
    Message("Uncommon internal basin path: %(path)s"),
    Message("Missing internal basin group 'basin_events', although an internal basin is defined"),
    Message("Missing internal basin feature %(feature)s"),
    Message("The dataset does not contain any events"),
    Message("The index feature is not enumerated correctly"),
    Message("Features: wrong event count: '%(feature)s' (%(found)s of %(wanted)s)"),
    Message("Metadata: Flow rates don't add up (sheath %(sheath)s + sample %(sample)s != channel %(channel)s)"),
    Message(
        "File is open in SWMR mode. If the file is not being written to by another program, consider clearing the file consistency "
        "flags with `h5clear PATH`."
    ),
    Message("Fluorescence: True"),
    Message("Fluorescence: False"),
    Message("Data file format: %(format)s"),
    Message("Metadata: Mismatch [imaging] '%(key)s' and feature %(feature)s (%(found)s vs %(wanted)s)"),
    Message("Metadata: Invalid value for [%(section)s] '%(key)s': '%(value)s'!"),
    Message("Metadata: Invalid value [%(section)s] %(key)s: '%(value)s'"),
    Message("Metadata: Missing section '%(section)s'"),
    Message("Metadata: Missing key [setup] 'temperature', because the 'temp' feature is given"),
    Message("Metadata: Missing key [%(section)s] '%(key)s'"),
    Message("Metadata: Wrong shape [online_filter] %(key)s: '%(shape)s'"),
    Message("Metadata: Please verify that 'medium' is really 'CellCarrierB' (Shape-In issue #3)"),
    Message("Feature: The 'temp' feature is all-zero, check the cables of the temperature sensor!"),
    Message("Metadata: Unused key defined [fluorescence] '%(key)s'"),
    Message("Metadata: fluorescence channel count inconsistent"),
    Message("Metadata: fluorescence laser count inconsistent"),
    Message("Metadata: wrong number of samples per event: %(key)s (expected %(wanted)s, got %(found)s)"),
)
_PLACE = re.compile(r"%\((\w+)\)s")
#: Of each template: itself, the texts around its places, and the names of these.
_FORMS = tuple((one.template, _PLACE.split(one.template)[::2], _PLACE.findall(one.template)) for one in TEMPLATES)


def message(text: str) -> str:
    """A sentence of dclab as a message; what is not known, as it is."""
    for template, around, names in _FORMS:
        if (values := _filled_in(text, around)) is not None:
            return Message(template, **dict(zip(names, values, strict=True)))
    return text


def _filled_in(text: str, around: list[str]) -> list[str] | None:
    """What stands in a sentence between the texts of its template, each as short as possible; None where they do not fit.

    No regular expression: with several places it would take the square of the length and more for a text made for that.
    """
    first, *others = around
    if not text.startswith(first):
        return None
    values, start = [], len(first)
    for number, part in enumerate(others, 1):
        last = number == len(others)
        end = len(text) - len(part) if last and text.endswith(part) else -1 if last else text.find(part, start + 1)
        if end <= start:
            return None
        values.append(text[start:end])
        start = end + len(part)
    return values if start == len(text) else None
