"""The actions as an OpenAPI 3.1 description, made from their declarations."""

from __future__ import annotations

import re
from typing import Any

from appliance import __version__
from appliance.web.api.registry import ACTIONS, Action, Parameter
from appliance.web.context import Context
from appliance.web.http import Request, Response, json_response
from appliance.web.routes import Route, route

_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "natural": {"type": "integer", "minimum": 0},
    "list": {"type": "array", "items": {}},
    "object": {"type": "object"},
    "any": {},
}
_ENVELOPE = {
    "type": "object",
    "required": ["help", "success"],
    "properties": {
        "help": {"type": "string"},
        "success": {"type": "boolean"},
        "result": {},
        "error": {"type": "object"},
    },
}


def document(site_url: str) -> dict[str, Any]:
    """The description for the server at `site_url`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DCOR appliance",
            "version": __version__,
            "description": "The action API of DCOR, compatible with CKAN 2.11.",
        },
        "servers": [{"url": site_url}],
        "security": [{"token": []}, {}],
        "paths": {f"/api/3/action/{name}": _path(declared) for name, declared in sorted(ACTIONS.items())},
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
            "schemas": {"Envelope": _ENVELOPE},
        },
    }


def _path(declared: Action) -> dict[str, Any]:
    operation = {
        "summary": declared.doc.split("\n")[0],
        "tags": [declared.name.split("_")[0]],
        "responses": _responses(),
    }
    body = {
        "type": "object",
        "properties": {p.name: _schema(p) for p in declared.parameters},
        "required": [p.name for p in declared.parameters if p.required],
    }
    if not body["required"]:
        del body["required"]
    content = {"application/json": {"schema": body}}
    path: dict[str, Any] = {"post": operation | {"operationId": declared.name, "requestBody": {"content": content}}}
    if declared.get:
        query = [
            {"name": p.name, "in": "query", "required": p.required, "description": p.doc, "schema": _schema(p)}
            for p in declared.parameters
            if p.kind != "object"
        ]
        path["get"] = operation | {"operationId": f"{declared.name}_get", "parameters": query}
    return path


def _schema(parameter: Parameter) -> dict[str, Any]:
    return _SCHEMAS[parameter.kind] | {"description": parameter.doc}


def _responses() -> dict[str, Any]:
    words = {
        "200": "Done",
        "400": "Malformed",
        "403": "Not allowed",
        "404": "Not found",
        "409": "Values do not hold",
        "413": "Too large",
        "503": "Maintenance or overload",
        "507": "No space",
    }
    envelope = {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}
    return {
        code: {"description": text} | ({"content": envelope} if code not in {"400"} else {})
        for code, text in words.items()
    }


def _serve(context: Context, request: Request, match: re.Match[str]) -> Response:
    return json_response(200, document(context.settings.site_url))


ROUTES: tuple[Route, ...] = (route("GET", r"/api/openapi\.json", "open", _serve),)
