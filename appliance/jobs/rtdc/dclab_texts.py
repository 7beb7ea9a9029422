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
_PLACE = re.compile(r"%\\\((\w+)\\\)s")
_FORMS = tuple(
    (template.template, re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(template.template)), re.DOTALL))
    for template in TEMPLATES
)


def message(text: str) -> str:
    """A sentence of dclab as a message; what is not known, as it is."""
    for template, form in _FORMS:
        if (found := form.fullmatch(text)) is not None:
            return Message(template, **found.groupdict())
    return text
