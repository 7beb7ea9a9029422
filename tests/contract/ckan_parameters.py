"""Every parameter of CKAN 2.11's actions and of DCOR's extensions, and what becomes of it here.

Read from the documentation and the schemas of CKAN 2.11.6; `test_ckan_actions` compares it with what the server declares and does.
"""

from __future__ import annotations

#: What can become of a parameter.
KINDS = {
    "declared": "honoured; in the action's declaration",
    "honoured": "honoured; one of the fields that the action takes",
    "refused": "refused with the reason unless it says what is the case anyway, whatever the object is",
    "checked": "refused with the reason when the object is known and the value differs",
    "found": "not applicable: the server finds it out from the file, as DCOR does",
    "dropped": "not applicable: DCOR takes these fields out of CKAN's dataset",
    "same": "not applicable: every value means the same here, as there is one schema, one format, no site user",
    "withheld": "not applicable: no hash of a password is given out to anybody; `ckanapi dump users` asks for them each time",
    "empty": "not applicable: the answer is empty for every object",
}


def row(**words: str) -> dict[str, str]:
    """Parameter → kind."""
    return {name: kind for kind, names in words.items() for name in names.split()}


#: Action → parameter → kind.
PARAMETERS = {
    "am_following_dataset": row(declared="id"),
    "api_token_create": row(declared="expires_in name unit user"),
    "api_token_list": row(declared="user_id"),
    "api_token_revoke": row(declared="jti token"),
    "bulk_update_delete": row(declared="datasets org_id"),
    "bulk_update_private": row(declared="datasets org_id"),
    "bulk_update_public": row(declared="datasets org_id"),
    "current_package_list_with_resources": row(declared="limit offset page"),
    "dataset_followee_count": row(declared="id"),
    "dataset_followee_list": row(declared="id"),
    "dataset_follower_count": row(declared="id"),
    "dataset_follower_list": row(declared="id"),
    "dataset_purge": row(declared="id"),
    "dcserv": row(declared="event feature id query trace version"),
    "follow_dataset": row(declared="id"),
    "format_autocomplete": row(declared="limit q"),
    "group_autocomplete": row(declared="limit q"),
    "group_create": row(
        declared="name",
        honoured="description id image_url packages title users",
        refused="approval_status extras groups image_upload is_organization state tags type",
    ),
    "group_delete": row(declared="id"),
    "group_followee_count": row(empty="id"),
    "group_followee_list": row(empty="id"),
    "group_follower_count": row(empty="id"),
    "group_follower_list": row(empty="id"),
    "group_list": row(
        declared="all_fields groups include_dataset_count include_extras include_groups include_tags include_users limit offset order_by sort type"
    ),
    "group_list_authz": row(declared="am_member", same="available_only"),
    "group_member_create": row(declared="id role username"),
    "group_member_delete": row(declared="id username"),
    "group_package_show": row(declared="id limit"),
    "group_patch": row(
        declared="id",
        honoured="description image_url name packages title users",
        refused="approval_status extras groups image_upload is_organization state tags type",
    ),
    "group_purge": row(declared="id"),
    "group_show": row(
        declared="id include_dataset_count include_datasets include_extras include_followers include_groups include_tags include_users"
    ),
    "group_update": row(
        declared="id",
        honoured="description image_url name packages title users",
        refused="approval_status extras groups image_upload is_organization state tags type",
    ),
    "help_show": row(declared="name"),
    "license_list": row(),
    "member_create": row(declared="capacity id object object_type"),
    "member_delete": row(declared="id object object_type"),
    "member_list": row(declared="capacity id object_type"),
    "member_roles_list": row(declared="group_type"),
    "organization_autocomplete": row(declared="limit q"),
    "organization_create": row(
        declared="name",
        honoured="description id image_url title users",
        refused="approval_status extras groups image_upload is_organization packages state tags type",
    ),
    "organization_delete": row(declared="id"),
    "organization_followee_count": row(empty="id"),
    "organization_followee_list": row(empty="id"),
    "organization_follower_count": row(empty="id"),
    "organization_follower_list": row(empty="id"),
    "organization_list": row(
        declared="all_fields include_dataset_count include_extras include_groups include_tags include_users limit offset order_by organizations sort type"
    ),
    "organization_list_for_user": row(declared="id include_dataset_count permission"),
    "organization_member_create": row(declared="id role username"),
    "organization_member_delete": row(declared="id username"),
    "organization_patch": row(
        declared="id",
        honoured="description image_url name title users",
        refused="approval_status extras groups image_upload is_organization packages state tags type",
    ),
    "organization_purge": row(declared="id"),
    "organization_show": row(
        declared="id include_dataset_count include_datasets include_extras include_followers include_groups include_tags include_users"
    ),
    "organization_update": row(
        declared="id",
        honoured="description image_url name title users",
        refused="approval_status extras groups image_upload is_organization packages state tags type",
    ),
    "package_autocomplete": row(declared="limit q"),
    "package_collaborator_create": row(declared="capacity id user_id"),
    "package_collaborator_delete": row(declared="id user_id"),
    "package_collaborator_list": row(declared="capacity id"),
    "package_collaborator_list_for_user": row(declared="capacity id"),
    "package_create": row(
        checked="extras",
        declared="title",
        dropped="author author_email maintainer maintainer_email url version",
        honoured="groups license_id name notes owner_org private resources state tags",
        refused="plugin_data relationships_as_object relationships_as_subject type",
    ),
    "package_delete": row(declared="id"),
    "package_list": row(declared="limit offset"),
    "package_owner_org_update": row(declared="id organization_id"),
    "package_patch": row(
        checked="extras",
        declared="id",
        dropped="author author_email maintainer maintainer_email url version",
        honoured="groups license_id name notes owner_org private resources state tags title",
        refused="plugin_data relationships_as_object relationships_as_subject type",
    ),
    "package_resource_reorder": row(declared="id order"),
    "package_revise": row(declared="filter include match update"),
    "package_search": row(
        checked="bf boost qf tie",
        declared="fq q sort",
        honoured="defType df facet facet.field facet.limit facet.mincount fl fq_list include_deleted include_drafts include_private mm rows start",
        same="extras use_default_schema wt",
    ),
    "package_show": row(declared="id", refused="include_plugin_data", same="use_default_schema"),
    "package_update": row(
        checked="extras",
        declared="id",
        dropped="author author_email maintainer maintainer_email url version",
        honoured="groups license_id name notes owner_org private resources state tags title",
        refused="plugin_data relationships_as_object relationships_as_subject type",
    ),
    "resource_create": row(
        declared="package_id",
        found="cache_last_updated cache_url created format hash last_modified mimetype mimetype_inner resource_type size url",
        honoured="description name upload",
    ),
    "resource_delete": row(declared="id"),
    "resource_patch": row(
        checked="cache_last_updated cache_url created format hash last_modified mimetype mimetype_inner name package_id resource_type size upload url",
        declared="id",
        honoured="description",
    ),
    "resource_schema_supplements": row(),
    "resource_search": row(declared="limit offset order_by query"),
    "resource_show": row(declared="id"),
    "resource_update": row(
        checked="cache_last_updated cache_url created format hash last_modified mimetype mimetype_inner name package_id resource_type size upload url",
        declared="id",
        honoured="description",
    ),
    "resource_upload_s3_urls": row(declared="file_size organization_id"),
    "resource_view_list": row(declared="id"),
    "status_show": row(),
    "supported_resource_suffixes": row(),
    "tag_autocomplete": row(declared="limit offset query", refused="fields vocabulary_id"),
    "tag_create": row(declared="name vocabulary_id"),
    "tag_delete": row(declared="id vocabulary_id"),
    "tag_list": row(declared="all_fields query vocabulary_id"),
    "tag_search": row(declared="limit offset query", refused="fields vocabulary_id"),
    "tag_show": row(declared="id include_datasets", refused="vocabulary_id"),
    "unfollow_dataset": row(declared="id"),
    "user_autocomplete": row(declared="limit q"),
    "user_create": row(
        declared="name with_apitoken",
        honoured="about email fullname id image_url password",
        refused="activity_streams_email_notifications apikey image_upload password_hash plugin_extras reset_key",
    ),
    "user_delete": row(declared="id"),
    "user_list": row(declared="all_fields email order_by q", same="include_site_user"),
    "user_patch": row(
        declared="id",
        honoured="about email fullname image_url name old_password password state",
        refused="activity_streams_email_notifications apikey image_upload password_hash plugin_extras reset_key",
        same="sysadmin",
    ),
    "user_show": row(
        declared="id include_datasets include_num_followers",
        refused="include_plugin_extras",
        withheld="include_password_hash",
    ),
    "user_update": row(
        declared="id",
        honoured="about email fullname image_url name old_password password state",
        refused="activity_streams_email_notifications apikey image_upload password_hash plugin_extras reset_key",
        same="sysadmin",
    ),
    "vocabulary_list": row(),
}

#: Actions of CKAN that this server does not know, and why.
UNKNOWN = {
    "only datasets can be followed": "am_following_group am_following_user follow_group follow_user followee_count followee_list unfollow_group unfollow_user user_followee_count user_followee_list user_follower_count user_follower_list",
    "settings are changed in dcor.toml": "config_option_list config_option_show config_option_update",
    "internal to CKAN": "get_site_user",
    "jobs are shown by `dcor jobs` and on their page": "job_cancel job_clear job_list job_show",
    "files are shown without views": "package_create_default_resource_views resource_create_default_resource_views resource_view_clear resource_view_create resource_view_delete resource_view_reorder resource_view_show resource_view_update",
    "datasets have references instead of relationships": "package_relationship_create package_relationship_delete package_relationship_update package_relationships_list",
    "belongs to extensions that DCOR does not have": "task_status_delete task_status_show task_status_update task_status_update_many term_translation_show term_translation_update term_translation_update_many",
    "accounts are made with an access file or a link": "user_invite",
    "tags are free": "vocabulary_create vocabulary_delete vocabulary_show vocabulary_update",
}
