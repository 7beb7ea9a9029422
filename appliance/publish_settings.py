"""Settings of publishing on other servers."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.setting_values import option as _option


@dataclass(frozen=True, slots=True)
class Publish:
    """Other servers to which datasets may be sent, and what pseudonymised copies keep; nothing is sent anywhere else."""

    targets: str = _option(
        "", "Servers to which datasets may be published, separated by spaces; empty = none", live=True
    )
    storage: str = _option(
        "",
        "Hosts at which those servers accept files (object storage), separated by spaces; empty = only the servers "
        "themselves",
        live=True,
    )
    dates: str = _option(
        "year",
        "What pseudonymised copies keep of the date of a measurement",
        choices=("year", "month", "day"),
        live=True,
    )
    keep_metadata: str = _option(
        "setup:identifier, fluorescence:channel 1 name, fluorescence:channel 2 name, fluorescence:channel 3 name",
        "Free texts that pseudonymised copies keep unless they look like personal data, with commas; * = any letters",
        live=True,
    )
    keep_logs: str = _option(
        "", "Logs that pseudonymised copies keep, rewritten, with commas; * = any letters; empty = none", live=True
    )
    keep_tables: str = _option(
        "",
        "Tables whose columns of numbers pseudonymised copies keep, with commas; * = any letters; empty = none",
        live=True,
    )
    rename: bool = _option(True, "Pseudonymised copies are called measurement_1.rtdc, measurement_2.rtdc, …", live=True)
