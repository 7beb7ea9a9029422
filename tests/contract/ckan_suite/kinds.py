"""CKAN's tests that do not apply to DCOR, or that no request can repeat: by kind, with the reason.

Patterns are `fnmatch` patterns of file, class and name. A test that differs and is in no kind is a fault of this server.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Kind:
    """Tests that differ for one reason."""

    name: str
    reason: str
    patterns: tuple[str, ...]

    def holds(self, test: str) -> bool:
        """Is the test of this kind?"""
        return any(fnmatchcase(test, f"*{pattern}") for pattern in self.patterns)


KINDS = (
    Kind(
        "vocabularies of tags",
        "DCOR has free tags only; the server knows no such actions and says so",
        ("TestVocabulary*", "TestTagCreate::*", "TestDeleteTags::*", "TestTagShow::*", "TestTagList::test_tag_list*", "TestTagSearch::*", "TestTagAutocomplete::*", "TestDatasetUpdate::test_tags", "TestDatasetCreate::test_tags", "TestDatasetPurge::test_purged_dataset_leaves_no_trace_in_the_model", "TestPackageShow::test_package_show_with_full_dataset"),
    ),
    Kind(
        "settings in the database, task states, relationships of datasets",
        "settings are in dcor.toml; CKAN's extensions that use the others are not part of DCOR; datasets have references",
        ("TestConfigOption*", "TestTaskStatus*", "*relationship*"),
    ),
    Kind(
        "files by link",
        "a resource is a file, whose address, type and size the server finds out; an address of another server is not kept",
        ("TestResourceCreate::test_resource_create", "TestDatasetCreate::test_resources", "TestDatasetUpdate::test_resources", "TestResourceCreate::test_doesnt_require_url", "TestResourceCreate::test_mimetype_by_user", "TestUpdate::test_resource_reorder", "TestPatch::test_resource_patch_updating_single_field", "TestDatasetRevise::test_revise_resource_replace_all"),
    ),
    Kind(
        "rules for people who are no administrators",
        "DCOR: datasets are made in a circle by its editors, ids are the server's, active datasets stay as they are, nothing public becomes private",
        ("test_normal_user_can_not_set_extras_id", "TestDatasetCreate::test_normal_user_cant_set_id", "TestPackagePluginData::test_ignored_on_create_if_non_sysadmin", "test_normal_user_can_provide_custom_id", "test_collaborators_can_not_change_owner_org_by_default", "test_revise_normal_user", "test_followee_list_excludes_datasets_user_cannot_read", "test_no_org_user_can_create", "test_authorized_if_user_has_permissions_on_dataset_4"),
    ),
    Kind(
        "DCOR's schema of datasets",
        "authors, a licence of DCOR's list and a circle are needed, no type of dataset but one; deleted datasets keep their names",
        ("TestDatasetCreate::test_license", "TestDatasetUpdate::test_license", "test_revise_dataset_fields_only", "test_creation_of_dataset_with_name_same_as_of_previously_removed", "test_package_owner_org_*", "test_update_dataset_cant_change_type", "missing_org_is_not_authorized", "test_raises_not_found_if_no_package_id_provided"),
    ),
    Kind(
        "types and parents of groups, datasets as members of organizations",
        "DCOR has circles and collections; a dataset belongs to one circle by its owner_org, so that a circle with datasets cannot be purged",
        ("custom_group_types", "test_group_list_return_custom_group", "test_create_organization_custom_type", "test_organization_list_return_custom_organization_type", "test_when_permissions_extend_to_sub_organizations", "TestOrganizationPurge::test_*purged_org*", "test_group_list_groups_returned", "test_purged_group_leaves_no_trace_in_the_model", "test_member_create_accepts_object_name_or_id"),
    ),
    Kind(
        "who sees users and members",
        "DCOR keeps details of users private (`public_user_details = false`): groups name members to members, users are not listed, numbers of followers need a log-in",
        ("test_create_matches_show", "TestGroupShow::test_group_show", "TestOrganizationShow::test_organization_show", "TestAmFollowing::*", "TestFolloweeCount::*", "TestFollowerCount::*", "test_authed_user_list", "test_authed_user_show", "test_autcomplete_email"),
    ),
    Kind(
        "`apikey` in answers about users",
        "the key is there, empty, as in recorded answers of DCOR, which clients of 2021 read",
        ("test_user_update_does_not_return_apikey", "TestUserList::test_user_list_default_values", "TestUserShow::test_user_show_default_values"),
    ),
    Kind(
        "hashes of passwords, pictures of users, data of plugins, content of tokens",
        "hashes are neither taken nor given out, pictures are addresses, there are no plugins that keep data, tokens are opaque",
        ("password_hash*", "TestUserImageUrl::test_upload_*", "TestPackagePluginData::*", "TestUserPluginExtras::*", "TestApiToken::*", "test_group_update_image_url_field"),
    ),
    Kind(
        "accounts without a password",
        "administrators make them: their owner sets it with a link, or signs in elsewhere",
        ("test_user_create_parameters_missing",),
    ),
    Kind(
        "what is hidden looks missing, `null` counts as not given",
        "deny by default: no answer tells whether something hidden is there",
        ("test_cannot_follow_private_dataset_without_read_access", "test_list_for_user_user_not_found", "TestOrganizationListForUser::test_invalid_permission", "is_hidden_to_public", "test_user_cannot_list_followees_of_another_user*", "deleted_group_is_visible_to_its_member", "deleted_org_is_visible_to_its_member"),
    ),
    Kind(
        "words of the documentation",
        "`help_show` answers this server's own description of an action",
        ("TestGetHelpShow::*",),
    ),
    Kind(
        "what only CKAN's process can do",
        "rights are skipped and the user is kept at the same time: the creator of a dataset has no role in its circle here; rights to an object of another kind are asked",
        ("test_user_show_include_datasets_includes_draft_myself", "test_user_show_include_datasets_excludes_draft_and_private", "test_package_search_with_include_drafts_option_includes_drafts_for_user", "test_group_show_does_not_show_private_datasets", "test_anonymous_can_call_get_method*"),
    ),
)  # fmt: skip


def kind_of(test: str) -> Kind | None:
    """The kind of a test, None for one that applies."""
    return next((kind for kind in KINDS if kind.holds(test)), None)
