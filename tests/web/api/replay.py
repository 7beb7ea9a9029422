"""The requests that were asked of a real DCOR (recorded.json: one request and its answer a line), asked again in their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from tests.support.samples import measurements, synthetic
from tests.support.server import DEADLINE, Appliance, Person

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))

PLAY = [
    "status_show",
    "api_root",
    "api_noversion",
    "api_version_2",
    "err_api_404",
    "err_html_404",
    "err_html_dataset_404",
    "license_list",
    "resource_schema_supplements",
    "supported_resource_suffixes",
    "err_unknown_action",
    "err_unknown_action_post",
    "err_get_on_post_only",
    "err_get_on_post_only_revise",
    "err_put_method",
    "err_delete_method",
    "organization_create",
    "err_conflict_org_exists",
    "err_org_create_anon",
    "group_create",
    "organization_show",
    "group_show",
    "organization_list",
    "organization_list_all_fields",
    "organization_list_for_user",
    "organization_list_for_user_anon",
    "group_list",
    "group_list_all_fields",
    "group_list_authz",
    "group_package_show",
    "group_show_with_dataset",
    "organization_show_datasets",
    "err_create_public_anon_group_list_users",
    "err_not_found_org",
    "err_validation_no_authors",
    "err_validation_no_license_id",
    "err_validation_bad_license",
    "err_validation_no_owner_org",
    "err_validation_no_title",
    "err_validation_bad_tag",
    "err_validation_create_active",
    "err_id_specified",
    "err_not_authorized_create_anon",
    "err_not_authorized_create_notmember",
    "package_create",
    "package_create_2",
    "package_create_3",
    "package_create_with_name",
    "package_show_draft",
    "err_activate_empty",
    "err_rename_dataset",
    "err_dataset_purge_draft",
    "package_delete",
    "dataset_purge",
    "err_package_show_purged",
    "resource_upload_s3_urls",
    "resource_upload_s3_urls_3GB",
    "err_resource_upload_s3_urls_anon",
    "err_resource_upload_s3_urls_notmember",
    "err_resource_upload_s3_urls_nosize",
    "PUT",
    "err_resource_s3_nonexist",
    "err_resource_sha256",
    "package_revise",
    "package_revise_description",
    "resource_show",
    "resource_create_legacy",
    "err_resource_same_name",
    "err_resource_bad_suffix",
    "err_resource_weird_name",
    "JOBS",
    "package_show",
    "form_post_package_show",
    "resource_view_list",
    "err_json_not_dict",
    "err_malformed_json",
    "err_malformed_json_noct",
    "err_missing_parameter",
    "err_missing_parameter_resource",
    "err_not_found",
    "err_not_found_resource",
    "err_bad_token",
    "err_not_authorized_private_anon",
    "err_not_authorized_private_bob",
    "err_revise_bob",
    "err_revise_match_fail",
    "err_revise_no_match",
    "err_revise_notfound",
    "user_show",
    "user_show_self_noid",
    "user_show_admin_view",
    "user_show_include",
    "err_user_show_other",
    "err_not_found_user",
    "user_list",
    "err_not_authorized_user_list",
    "err_not_authorized_user_list_anon",
    "user_autocomplete",
    "err_user_autocomplete_anon",
    "api_token_create",
    "api_token_list",
    "api_token_revoke",
    "member_create_org_user",
    "package_show_as_org_member",
    "member_list",
    "member_delete_org_user",
    "package_collaborator_create",
    "package_collaborator_list",
    "package_collaborator_list_for_user",
    "package_show_as_collaborator",
    "package_collaborator_delete",
    "err_collaborator_bad_capacity",
    "member_create",
    "member_create_user",
    "package_show_as_group_member",
    "err_member_create_bob",
    "err_member_create_carol_member",
    "member_delete",
    "dcserv_valid_private",
    "dcserv_metadata_private",
    "dcserv_size_private",
    "dcserv_feature_list_private",
    "dcserv_logs_private",
    "dcserv_tables_private",
    "dcserv_trace_list_private",
    "dcserv_basins_private",
    "dcserv_bogus_private",
    "dcserv_feature_private",
    "dcserv_trace_private",
    "err_dcserv_v1",
    "err_dcserv_noid",
    "err_dcserv_noquery",
    "err_dcserv_notfound",
    "err_dcserv_nonrtdc",
    "err_dcserv_private_anon",
    "err_dcserv_private_bob",
    "download_private_redirect",
    "condensed_private_redirect",
    "err_download_private_anon",
    "err_html_dataset_private_anon",
    "package_search_drafts",
    "package_revise_activate",
    "package_show_active",
    "err_edit_title_active",
    "err_active_to_draft",
    "err_add_resource_active",
    "err_add_resource_active_legacy",
    "err_delete_active",
    "err_delete_resource_active",
    "err_license_more_restrictive",
    "err_license_more_restrictive2",
    "license_less_restrictive",
    "make_public",
    "err_public_to_private",
    "package_show_public_anon",
    "resource_show_public",
    "dcserv_valid",
    "dcserv_metadata",
    "dcserv_size",
    "dcserv_feature_list",
    "dcserv_logs",
    "dcserv_tables",
    "dcserv_trace_list",
    "dcserv_basins",
    "package_search",
    "package_search_default_alice",
    "package_search_include_private_false",
    "package_search_all_facets",
    "err_package_search_bad_param",
    "err_package_search_bad_rows",
    "err_package_search_bad_sort",
    "err_package_search_syntax",
    "package_list",
    "current_package_list",
    "tag_list",
    "err_group_purge",
    "err_organization_delete",
    "group_delete",
]

#: Uploads as forms: the name of the file.
_FILES = {
    "resource_create_legacy": "text_file.txt",
    "err_resource_same_name": "text_file.txt",
    "err_resource_bad_suffix": "program.exe",
    "err_resource_weird_name": "$ ü.txt",
    "err_add_resource_active_legacy": "more.txt",
}


class Play:
    """One appliance, its people, and what the names in recorded answers stand for."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.people: dict[str | None, Person] = {None: appliance.nobody, "admin": appliance.admin}
        self.ids: dict[str, str] = {"<site>": appliance.url}
        for name in ("alice", "bob", "carol"):
            self.people[name] = appliance.person(name)
            self.ids[f"<{name}>"] = self.people[name].id
        files = [path for path in measurements() if path.name == "calibration_beads_47.rtdc"]
        self.file = files[0] if files else synthetic()
        self.uploads: list[str] = []
        self.differences: dict[str, list[str]] = {}

    def known(self, text: str) -> str:
        """`text` with the ids that are known by now."""
        for name, value in self.ids.items():
            text = text.replace(name, value)
        return text

    def ask(self, name: str) -> requests.Response:
        """Send the request of a recorded line."""
        line = RECORDED[name]
        http = self.people[line["as"]].http
        url = self.appliance.url + self.known(line["path"])
        if name.startswith("dcserv_"):
            url += "&version=2"  # the recorded server's default
        if name == "resource_upload_s3_urls":
            url = url.replace("901845", str(self.file.stat().st_size))
        upload = _FILES.get(name)
        if upload is not None:
            fields = [(key, (None, value)) for key, value in json.loads(self.known(json.dumps(line["json"]))).items()]
            return http.post(url, files=[*fields, ("upload", (upload, b"hello world\n"))], timeout=DEADLINE)
        data: Any = None
        headers = {}
        if line.get("raw") is not None:
            data = self.known(line["raw"]).encode()
            form = name == "form_post_package_show"
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
            if name.endswith("_noct"):
                headers["Content-Type"] = "application/octet-stream"
        elif line.get("json") is not None:
            data, headers["Content-Type"] = self.known(json.dumps(line["json"])).encode(), "application/json"
        if name == "err_bad_token":
            headers["Authorization"] = "not-a-token"
        if name == "api_token_revoke":
            data = json.dumps({"token": self.ids["<token>"]}).encode()
        if name in {"download_private_redirect", "condensed_private_redirect"}:
            return http.get(url, timeout=DEADLINE, allow_redirects=False)
        return http.request(line["method"], url, data=data, headers=headers, timeout=DEADLINE)
