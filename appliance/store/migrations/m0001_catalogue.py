"""The catalogue: users, circles, collections, datasets, resources, jobs, audit."""

from __future__ import annotations

import sqlite3

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

CREATE TABLE user (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    fullname TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    about TEXT NOT NULL DEFAULT '',
    image_url TEXT NOT NULL DEFAULT '',
    password TEXT,                      -- Argon2id, NULL = cannot log in with a password
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'pending', 'disabled', 'deleted')),
    sysadmin INTEGER NOT NULL DEFAULT 0,
    locale TEXT,
    created TEXT NOT NULL,
    last_active TEXT
) WITHOUT ROWID;

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the token
    scope TEXT NOT NULL DEFAULT 'write' CHECK (scope IN ('read', 'write', 'admin')),
    created TEXT NOT NULL,
    last_access TEXT,
    expires TEXT,
    first_use_by TEXT                   -- an access file that nobody opened until then is dead
) WITHOUT ROWID;
CREATE INDEX token_user ON token(user_id);

CREATE TABLE session (
    id TEXT PRIMARY KEY,                -- public handle for lists and revocation
    hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the cookie
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    created TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    expires TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX session_user ON session(user_id);

CREATE TABLE one_time_link (
    hash BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires TEXT NOT NULL,
    used TEXT
) WITHOUT ROWID;

-- Circles and collections share one name space, as CKAN's organizations and groups do.
CREATE TABLE community (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('circle', 'collection')),
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    image_url TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    created TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX community_kind ON community(kind, state, title);

CREATE TABLE member (
    community_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'member')),
    id TEXT NOT NULL UNIQUE,           -- behind the key: SQLite 3.40 finds NULLs in it otherwise
    PRIMARY KEY (community_id, user_id)
) WITHOUT ROWID;
CREATE INDEX member_user ON member(user_id, community_id);

CREATE TABLE dataset (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    notes TEXT NOT NULL DEFAULT '',
    authors TEXT NOT NULL DEFAULT '',
    doi TEXT NOT NULL DEFAULT '',
    reference_list TEXT NOT NULL DEFAULT '',
    license_id TEXT NOT NULL DEFAULT '',
    private INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'active', 'deleted')),
    circle_id TEXT NOT NULL REFERENCES community(id),
    creator_id TEXT NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    num_resources INTEGER NOT NULL DEFAULT 0,
    document TEXT NOT NULL DEFAULT '{}' -- the dataset's own part of its API answer
);
CREATE UNIQUE INDEX dataset_name ON dataset(name) WHERE state != 'deleted';
CREATE INDEX dataset_name_all ON dataset(name);
CREATE INDEX dataset_circle ON dataset(circle_id, state);
CREATE INDEX dataset_creator ON dataset(creator_id, state);
CREATE INDEX dataset_created ON dataset(created);
CREATE INDEX dataset_modified ON dataset(modified);

CREATE TABLE tag (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE dataset_tag (
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    tag_id TEXT NOT NULL REFERENCES tag(id),
    PRIMARY KEY (dataset_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX dataset_tag_tag ON dataset_tag(tag_id);

CREATE TABLE collection_dataset (
    collection_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,           -- behind the key: SQLite 3.40 finds NULLs in it otherwise
    PRIMARY KEY (collection_id, dataset_id)
) WITHOUT ROWID;
CREATE INDEX collection_dataset_dataset ON collection_dataset(dataset_id, collection_id);

CREATE TABLE collaborator (
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    capacity TEXT NOT NULL CHECK (capacity IN ('member', 'editor')),
    modified TEXT NOT NULL,
    PRIMARY KEY (dataset_id, user_id)
) WITHOUT ROWID;
CREATE INDEX collaborator_user ON collaborator(user_id, dataset_id);

CREATE TABLE follower (
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    since TEXT NOT NULL,
    PRIMARY KEY (user_id, dataset_id)
) WITHOUT ROWID;
CREATE INDEX follower_dataset ON follower(dataset_id);

CREATE TABLE resource (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    size INTEGER,
    sha256 TEXT,
    etag TEXT,
    mimetype TEXT,
    format TEXT NOT NULL DEFAULT '',
    url_type TEXT NOT NULL DEFAULT 'upload' CHECK (url_type IN ('upload', 's3_upload')),
    state TEXT NOT NULL DEFAULT 'active',
    created TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    metadata_modified TEXT NOT NULL,
    supplements TEXT NOT NULL DEFAULT '{}',  -- {"sp:section:key": value}
    dc TEXT NOT NULL DEFAULT '{}',           -- {"dc:section:key": value}
    event_count INTEGER,
    document TEXT NOT NULL DEFAULT '{}',     -- its API answer, ready to send
    UNIQUE (dataset_id, name)
);
CREATE INDEX resource_dataset ON resource(dataset_id, position);

CREATE TABLE artefact (
    resource_id TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    etag TEXT NOT NULL,
    created TEXT NOT NULL,
    PRIMARY KEY (resource_id, kind)
) WITHOUT ROWID;

-- What jobs read out of a measurement, so that no request ever has to open the file.
CREATE TABLE rtdc (
    resource_id TEXT PRIMARY KEY REFERENCES resource(id) ON DELETE CASCADE,
    config TEXT NOT NULL DEFAULT '{}',
    features TEXT NOT NULL DEFAULT '[]',
    scalar_features TEXT NOT NULL DEFAULT '[]',
    condensed_features TEXT NOT NULL DEFAULT '[]',
    traces TEXT NOT NULL DEFAULT '[]',
    logs TEXT NOT NULL DEFAULT '{}',
    tables TEXT NOT NULL DEFAULT '{}',
    statistics TEXT NOT NULL DEFAULT '{}',
    integrity TEXT NOT NULL DEFAULT '{}',
    personal TEXT NOT NULL DEFAULT '[]',
    identifier TEXT,
    file_basins TEXT NOT NULL DEFAULT '[]',
    preview_alt TEXT NOT NULL DEFAULT '',
    sane INTEGER,
    extracted TEXT
) WITHOUT ROWID;
CREATE INDEX rtdc_identifier ON rtdc(identifier) WHERE identifier IS NOT NULL;

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    resource_id TEXT NOT NULL UNIQUE,
    dataset_id TEXT,
    circle_id TEXT,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'browser')),
    name TEXT,
    size INTEGER NOT NULL,
    part_size INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT,
    etag TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'complete', 'attached', 'aborted')),
    created TEXT NOT NULL,
    expires TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_expires ON upload(state, expires);
CREATE TABLE upload_part (
    upload_id TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    finished TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

CREATE TABLE job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    resource_id TEXT,
    dataset_id TEXT,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    priority INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 3,
    progress REAL NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL,
    available TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    heartbeat TEXT,
    lease_until TEXT,
    worker TEXT,
    arguments TEXT NOT NULL DEFAULT '{}',
    result TEXT NOT NULL DEFAULT '{}',
    dedupe TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX job_dedupe ON job(dedupe) WHERE dedupe IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX job_state ON job(state, priority DESC, created);
CREATE INDEX job_resource ON job(resource_id);
CREATE INDEX job_dataset ON job(dataset_id);
CREATE TABLE job_dependency (
    job_id TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    needs_id TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    PRIMARY KEY (job_id, needs_id)
) WITHOUT ROWID;
CREATE INDEX job_dependency_needs ON job_dependency(needs_id);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor_id TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_type TEXT NOT NULL DEFAULT '',
    object_id TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '{}',
    address TEXT NOT NULL DEFAULT '',
    chain BLOB NOT NULL                 -- SHA-256 over the previous chain value and this row
);
CREATE INDEX audit_object ON audit(object_id, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE incident (id TEXT PRIMARY KEY, at TEXT NOT NULL, place TEXT NOT NULL, trace TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE alarm (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL,
    resolved TEXT
) WITHOUT ROWID;
"""


def upgrade(conn: sqlite3.Connection) -> None:
    """Create every table of the catalogue in an empty database."""
    for statement in _statements(SCHEMA):
        conn.execute(statement)


def _statements(script: str) -> list[str]:
    """Split `script` so that it runs inside the caller's transaction (`executescript` would commit it)."""
    found, current = [], ""
    for line in script.splitlines():
        current += line + "\n"
        if sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found
