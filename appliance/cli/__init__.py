"""The `dcor` command: one module per noun, each loaded only when it is called, so that help and completion are quick."""

from __future__ import annotations

from appliance.cli.root import main

__all__ = ["main"]
