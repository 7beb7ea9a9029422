"""`python -m appliance` is `dcor`."""

from __future__ import annotations

from appliance.cli import main

main()
