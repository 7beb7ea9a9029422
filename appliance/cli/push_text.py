"""What `dcor push` tells people: what would be sent, what would change in copies, what was done."""

from __future__ import annotations

from typing import Any

from appliance.cli.common import size
from appliance.cli.pull import printed, shortened


def plan_text(data: list[dict[str, Any]]) -> str:
    """What would be sent, for each dataset."""
    lines = []
    for one in data:
        lines += [f"{one['dataset']} would be sent with:"]
        told = {**one["fields"], "tags": ", ".join(tag["name"] for tag in one["fields"]["tags"])}
        lines += [f"  {key}: {value}" for key, value in told.items() if value not in ("", None)]
        lines += [f"  files: {len(one['files'])} ({size(one['bytes'])})"]
        lines += shortened([f"    {file['name']}" for file in one["files"]], "    ")
        lines += _copies(one["files"])
        lines += _listed("To note", one["notes"])
    return printed(lines)


def report_text(data: list[dict[str, Any]]) -> str:
    """What was sent, for each dataset."""
    lines = []
    for one in data:
        if "error" in one:
            lines.append(f"{one['dataset']}: {one['error']}")
            continue
        lines.append(
            f"{one['dataset']}: {one['state']} at {one['url']}, {one['files']} files ({size(one['sent'])} sent now)"
        )
        if one["unverified"]:
            lines += _listed("Without a checksum there yet, so not activated; repeat the call later", one["unverified"])
        elif one["state"] == "draft":
            lines.append("  Complete. Look at it there and activate it, or repeat the call with --activate.")
        lines += _listed("To note", one["notes"])
    return printed(lines)


def _copies(files: list[dict[str, Any]]) -> list[str]:
    lines = []
    for file in files:
        if "changes" in file:
            lines.append(f"  {file['original']} is copied as {file['name']}, without or with other:")
            lines += shortened([f"    {_change(one)}" for one in file["changes"]], "    ")
            lines += [f"    {one['where']} stays: {one['was']}" for one in file["kept"]]
    return lines


def _change(one: dict[str, str]) -> str:
    was = f": {one['was']}" if one["was"] else ""
    return f"{one['where']}{was} → {one['becomes'] or '(left out)'}"


def _listed(title: str, found: list[str]) -> list[str]:
    return [f"  {title}:", *shortened([f"    {one}" for one in found], "    ")] if found else []
