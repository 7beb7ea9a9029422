-- version: 0.2.0
-- token: EEQ5Z3nZyII4TRNvByM96OrXT0DQzOAmIbpSI656HA12
-- made: JfKmta0I3VfI696gmddNJmeoFm43ripNtNlUTlscxZBi
-- public: 0827b20d-81b5-48a9-9c55-15ba76002b58
-- private: b8ba6f14-fe4f-4d00-8432-362c3a06aaad
-- resource: f35341aa-7a62-48ca-8249-5160d2b10a71
BEGIN;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES (1,'dcor','m0001_catalogue','2026-12-01 17:28:20.921533+00:00');
INSERT INTO "_sqlite_migrations" VALUES (2,'dcor','m0002_search','2026-12-01 17:28:20.923031+00:00');
INSERT INTO "_sqlite_migrations" VALUES (3,'dcor','m0003_checks','2026-12-01 17:28:20.923418+00:00');
INSERT INTO "_sqlite_migrations" VALUES (4,'dcor','m0004_interruptions','2026-12-01 17:28:20.932863+00:00');
INSERT INTO "_sqlite_migrations" VALUES (5,'dcor','m0005_token_parent','2026-12-01 17:28:20.933731+00:00');
INSERT INTO "_sqlite_migrations" VALUES (6,'dcor','m0006_alarm_mail','2026-12-01 17:28:20.934410+00:00');
INSERT INTO "_sqlite_migrations" VALUES (7,'dcor','m0007_collection_makers','2026-12-01 17:28:20.954460+00:00');
INSERT INTO "_sqlite_migrations" VALUES (8,'dcor','m0008_link_session','2026-12-01 17:28:20.955668+00:00');
INSERT INTO "_sqlite_migrations" VALUES (9,'dcor','m0010_job_user','2026-12-01 17:28:20.989176+00:00');
INSERT INTO "_sqlite_migrations" VALUES (10,'dcor','m0011_audit_key','2026-12-01 17:28:21.004867+00:00');
INSERT INTO "_sqlite_migrations" VALUES (11,'dcor','m0012_whole_contents','2026-12-01 17:28:21.007392+00:00');
INSERT INTO "_sqlite_migrations" VALUES (12,'dcor','m0013_restore_drafts','2026-12-01 17:28:21.019089+00:00');
INSERT INTO "_sqlite_migrations" VALUES (13,'dcor','m0015_condensed_addresses','2026-12-01 17:28:21.028905+00:00');
INSERT INTO "_sqlite_migrations" VALUES (14,'dcor','m0016_token_maker','2026-12-01 17:28:21.030359+00:00');
INSERT INTO "_sqlite_migrations" VALUES (15,'dcor','m0017_crc32','2026-12-01 17:28:21.048142+00:00');
INSERT INTO "_sqlite_migrations" VALUES (16,'dcor','m0019_followers','2026-12-01 17:28:21.050301+00:00');
INSERT INTO "_sqlite_migrations" VALUES (17,'dcor','m0020_circle_quota','2026-12-01 17:28:21.051536+00:00');
INSERT INTO "_sqlite_migrations" VALUES (18,'dcor','m0022_versions','2026-12-01 17:28:21.067404+00:00');
INSERT INTO "_sqlite_migrations" VALUES (19,'dcor','m0023_access_requests','2026-12-01 17:28:21.071590+00:00');
INSERT INTO "_sqlite_migrations" VALUES (20,'dcor','m0024_notifications','2026-12-01 17:28:21.072421+00:00');
INSERT INTO "_sqlite_migrations" VALUES (21,'dcor','m0026_verdict','2026-12-01 17:28:21.072910+00:00');
INSERT INTO "_sqlite_migrations" VALUES (22,'dcor','m0027_measurements','2026-12-01 17:28:21.074466+00:00');
INSERT INTO "_sqlite_migrations" VALUES (23,'dcor','m0031_moving','2026-12-01 17:28:21.075059+00:00');
INSERT INTO "_sqlite_migrations" VALUES (24,'dcor','m0032_gate_sets','2026-12-01 17:28:21.075502+00:00');
INSERT INTO "_sqlite_migrations" VALUES (25,'dcor','m0035_signon','2026-12-01 17:28:21.097273+00:00');
INSERT INTO "_sqlite_migrations" VALUES (26,'dcor','m0036_link_state','2026-12-01 17:28:21.098350+00:00');
INSERT INTO "_sqlite_migrations" VALUES (27,'dcor','m0039_publications','2026-12-01 17:28:21.098954+00:00');
INSERT INTO "_sqlite_migrations" VALUES (28,'dcor','m0042_gate_exports','2026-12-01 17:28:21.099528+00:00');
INSERT INTO "_sqlite_migrations" VALUES (29,'dcor','m0043_totp','2026-12-01 17:28:21.121881+00:00');
INSERT INTO "_sqlite_migrations" VALUES (30,'dcor','m0044_oidc','2026-12-01 17:28:21.148168+00:00');
INSERT INTO "_sqlite_migrations" VALUES (31,'dcor','m0045_code_given','2026-12-01 17:28:21.149859+00:00');
INSERT INTO "_sqlite_migrations" VALUES (32,'dcor','m0046_archived_files','2026-12-01 17:28:21.150387+00:00');
INSERT INTO "_sqlite_migrations" VALUES (33,'dcor','m0047_extras','2026-12-01 17:28:21.185321+00:00');
INSERT INTO "_sqlite_migrations" VALUES (34,'dcor','m0048_resource_extras','2026-12-01 17:28:21.186842+00:00');
INSERT INTO "_sqlite_migrations" VALUES (35,'dcor','m0050_pseudonymised','2026-12-01 17:28:21.227225+00:00');
INSERT INTO "_sqlite_migrations" VALUES (36,'dcor','m0052_comparisons','2026-12-01 17:28:21.228065+00:00');
INSERT INTO "_sqlite_migrations" VALUES (37,'dcor','m0054_messages','2026-12-01 17:28:21.250905+00:00');
INSERT INTO "_sqlite_migrations" VALUES (38,'dcor','m0055_reference_samples','2026-12-01 17:28:21.251525+00:00');
INSERT INTO "_sqlite_migrations" VALUES (39,'dcor','m0056_saved_pages','2026-12-01 17:28:21.272619+00:00');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO "meta" VALUES ('site_url','https://localhost:33717');
INSERT INTO "meta" VALUES ('statistics','{"at": "2026-12-01T17:28:23.160392", "total": {"resources": 0, "events": 0, "bytes": 0}, "datasets": {"draft": 1}, "circles": [{"id": "9670b282-0cbc-4122-86d7-7dd999426fdd", "name": "lab", "title": "Lab", "datasets": 1, "resources": 0, "bytes": 0}], "months": [], "formats": [], "artefacts": [], "free": 45153816576}');
INSERT INTO "meta" VALUES ('verdict_limits','{"at_border": 20, "brightness_drift": 10, "burst": 300, "flow_drift": 10, "focus_drift": 20, "least_events": 100, "lost": 5, "pause": 10, "poor_outlines": 30, "rate_change": 60, "saturated": 1, "temperature": 2, "unusable": 80}');
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
INSERT INTO "user" VALUES ('7a57d2b2-b3bf-415e-9540-ef0e42516034','eve','Eve','eve@example.org','','',NULL,'active',0,NULL,'2026-12-01T17:28:22.496446','2026-12-01T17:28:35.533923');
INSERT INTO "user" VALUES ('e2073897-70f3-492d-a320-4d2991117231','admin','Admin','admin@example.org','','',NULL,'active',1,NULL,'2026-12-01T17:28:22.062443',NULL);
INSERT INTO "user" VALUES ('ecf260c2-c826-463d-b87e-69a1cc965892','ada','Ada','ada@example.org','','','$argon2id$v=19$m=47104,t=1,p=1$kG7dcYeoyo1eiALDQn9ucw$mkZyOLzvXy8Xdynl55Kn2gRl8oXo5bDtJgLAbvG7cCQ','active',0,NULL,'2026-12-01T17:28:22.493330','2026-12-01T17:28:36.011686');
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
, parent TEXT, maker TEXT) WITHOUT ROWID;
INSERT INTO "token" VALUES ('76f4b464-54b4-4cec-a154-ebdb4b5a4779','7a57d2b2-b3bf-415e-9540-ef0e42516034','for a year',X'3A53FE227C96F9F51E71F6594608FA097F472C44EF02E5D137BED45630C2F2A4','read','2026-12-01T17:28:35.675428',NULL,'2126-11-07T17:28:35.675419',NULL,NULL,NULL);
INSERT INTO "token" VALUES ('7c4cdc01-8378-49c1-a39c-8355425fb7f6','ecf260c2-c826-463d-b87e-69a1cc965892','made with another',X'7C520E6DAEBCB9691DE60D937A4575020BFB55AF155779955B5C175672BE53BC','write','2026-12-01T17:28:35.665189',NULL,NULL,NULL,'f48327d7-2f4b-420a-984b-8a598b0506cb','ecf260c2-c826-463d-b87e-69a1cc965892');
INSERT INTO "token" VALUES ('92a9471b-050a-4a77-b387-3dee092f5ae9','e2073897-70f3-492d-a320-4d2991117231','test',X'B8DAA7B118AE2DADA7963DA23D92A91D358B6CF4782AEF27757872AF9E01D649','admin','2026-12-01T17:28:22.108217',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "token" VALUES ('cd757c14-6188-48a9-80b6-29b8cacd3cd7','7a57d2b2-b3bf-415e-9540-ef0e42516034','test',X'B09D6DA28A91ECEF0B15E6BA257E3DED4ACFCB665C9519DE85B71C9626743868','write','2026-12-01T17:28:22.500671','2026-12-01T17:28:35.533905',NULL,NULL,NULL,NULL);
INSERT INTO "token" VALUES ('f48327d7-2f4b-420a-984b-8a598b0506cb','ecf260c2-c826-463d-b87e-69a1cc965892','test',X'DF7AD64DCD139FD4D7CEFE25A4388CC46A5F4B765D2F842157D93CFBEBD807A4','write','2026-12-01T17:28:22.495159','2026-12-01T17:28:22.521987',NULL,NULL,NULL,NULL);
CREATE TABLE session (
    id TEXT PRIMARY KEY,                -- public handle for lists and revocation
    hash BLOB NOT NULL UNIQUE,          -- SHA-256 of the cookie
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    created TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    expires TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT ''
, code_given INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO "session" VALUES ('cd7cc1bf-952d-4108-826b-4f36eda45c79',X'A9747664D14DFBE3C9CB7D9AE474DE096E036D107BD989E60D2F64635C62F839','ecf260c2-c826-463d-b87e-69a1cc965892','2026-12-01T17:28:36.011590','2026-12-01T17:28:36.011590','2026-12-02T05:28:36.011619','','a browser',0);
CREATE TABLE one_time_link (
    hash BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires TEXT NOT NULL,
    used TEXT
, session_id TEXT REFERENCES session(id) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE community (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('circle', 'collection')),
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    image_url TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    created TEXT NOT NULL
, quota INTEGER CHECK (quota >= 0), extras TEXT NOT NULL DEFAULT '[]') WITHOUT ROWID;
INSERT INTO "community" VALUES ('0c830e6c-015d-45d2-93ab-e70bd1ef17e7','collection','blood','Blood of all','','','active','2026-12-01T17:28:22.539589',NULL,'[]');
INSERT INTO "community" VALUES ('9670b282-0cbc-4122-86d7-7dd999426fdd','circle','lab','Lab','','','active','2026-12-01T17:28:22.532268',NULL,'[]');
CREATE TABLE member (
    community_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'member')),
    id TEXT NOT NULL UNIQUE, source TEXT NOT NULL DEFAULT '',           -- behind the key: SQLite 3.40 finds NULLs in it otherwise
    PRIMARY KEY (community_id, user_id)
) WITHOUT ROWID;
INSERT INTO "member" VALUES ('0c830e6c-015d-45d2-93ab-e70bd1ef17e7','ecf260c2-c826-463d-b87e-69a1cc965892','admin','a345897d-804e-4fca-97c3-5512671b98bd','');
INSERT INTO "member" VALUES ('9670b282-0cbc-4122-86d7-7dd999426fdd','7a57d2b2-b3bf-415e-9540-ef0e42516034','member','ca4e5dd5-411b-405a-b185-c82d0291e9bf','');
INSERT INTO "member" VALUES ('9670b282-0cbc-4122-86d7-7dd999426fdd','ecf260c2-c826-463d-b87e-69a1cc965892','admin','761bd556-7f2e-41e0-801b-2fd99cb808eb','');
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
, deleted_from TEXT CHECK (deleted_from IN ('draft', 'active')), version_of TEXT, extras TEXT NOT NULL DEFAULT '[]');
INSERT INTO "dataset" VALUES (1,'0827b20d-81b5-48a9-9c55-15ba76002b58','grosse-of-cells','Größe of cells','a *note*','Ada L., Max P.','','','CC0-1.0',0,'active','9670b282-0cbc-4122-86d7-7dd999426fdd','ecf260c2-c826-463d-b87e-69a1cc965892','2026-12-01T17:28:22.566350','2026-12-01T17:28:33.741920',1,'{"authors":"Ada L., Max P.","creator_user_id":"ecf260c2-c826-463d-b87e-69a1cc965892","doi":"","id":"0827b20d-81b5-48a9-9c55-15ba76002b58","isopen":true,"license_id":"CC0-1.0","license_title":"Creative Commons Public Domain Dedication","license_url":"https://creativecommons.org/publicdomain/zero/1.0/","metadata_created":"2026-12-01T17:28:22.566350","metadata_modified":"2026-12-01T17:28:33.741920","name":"grosse-of-cells","notes":"a *note*","num_resources":1,"num_tags":1,"owner_org":"9670b282-0cbc-4122-86d7-7dd999426fdd","private":false,"references":"","state":"active","title":"Größe of cells","type":"dataset","tags":[{"display_name":"beads","id":"62e5499a-1974-4700-ba42-252d9bab48b2","name":"beads","state":"active","vocabulary_id":null}],"extras":[],"relationships_as_subject":[],"relationships_as_object":[]}',NULL,NULL,'[]');
INSERT INTO "dataset" VALUES (2,'b8ba6f14-fe4f-4d00-8432-362c3a06aaad','patients-of-the-ward','Patients of the ward','','Ada L., Max P.','','','CC0-1.0',1,'active','9670b282-0cbc-4122-86d7-7dd999426fdd','ecf260c2-c826-463d-b87e-69a1cc965892','2026-12-01T17:28:33.750966','2026-12-01T17:28:35.477353',1,'{"authors":"Ada L., Max P.","creator_user_id":"ecf260c2-c826-463d-b87e-69a1cc965892","doi":"","id":"b8ba6f14-fe4f-4d00-8432-362c3a06aaad","isopen":true,"license_id":"CC0-1.0","license_title":"Creative Commons Public Domain Dedication","license_url":"https://creativecommons.org/publicdomain/zero/1.0/","metadata_created":"2026-12-01T17:28:33.750966","metadata_modified":"2026-12-01T17:28:35.477353","name":"patients-of-the-ward","notes":"","num_resources":1,"num_tags":0,"owner_org":"9670b282-0cbc-4122-86d7-7dd999426fdd","private":true,"references":"","state":"active","title":"Patients of the ward","type":"dataset","tags":[],"extras":[],"relationships_as_subject":[],"relationships_as_object":[]}',NULL,NULL,'[]');
INSERT INTO "dataset" VALUES (3,'0a72cc17-b6c7-4ee4-a747-bf8b551eb4ef','not-ready','Not ready','','Ada L., Max P.','','','CC0-1.0',0,'draft','9670b282-0cbc-4122-86d7-7dd999426fdd','ecf260c2-c826-463d-b87e-69a1cc965892','2026-12-01T17:28:35.577081','2026-12-01T17:28:35.577081',0,'{"authors":"Ada L., Max P.","creator_user_id":"ecf260c2-c826-463d-b87e-69a1cc965892","doi":"","id":"0a72cc17-b6c7-4ee4-a747-bf8b551eb4ef","isopen":true,"license_id":"CC0-1.0","license_title":"Creative Commons Public Domain Dedication","license_url":"https://creativecommons.org/publicdomain/zero/1.0/","metadata_created":"2026-12-01T17:28:35.577081","metadata_modified":"2026-12-01T17:28:35.577081","name":"not-ready","notes":"","num_resources":0,"num_tags":0,"owner_org":"9670b282-0cbc-4122-86d7-7dd999426fdd","private":false,"references":"","state":"draft","title":"Not ready","type":"dataset","tags":[],"extras":[],"relationships_as_subject":[],"relationships_as_object":[]}',NULL,NULL,'[]');
INSERT INTO "dataset" VALUES (4,'f2566c22-3d57-4395-ba33-9d246e941e75','thrown-away','Thrown away','','Ada L., Max P.','','','CC0-1.0',0,'deleted','9670b282-0cbc-4122-86d7-7dd999426fdd','ecf260c2-c826-463d-b87e-69a1cc965892','2026-12-01T17:28:35.596640','2026-12-01T17:28:35.629543',0,'{"authors":"Ada L., Max P.","creator_user_id":"ecf260c2-c826-463d-b87e-69a1cc965892","doi":"","id":"f2566c22-3d57-4395-ba33-9d246e941e75","isopen":true,"license_id":"CC0-1.0","license_title":"Creative Commons Public Domain Dedication","license_url":"https://creativecommons.org/publicdomain/zero/1.0/","metadata_created":"2026-12-01T17:28:35.596640","metadata_modified":"2026-12-01T17:28:35.629543","name":"thrown-away","notes":"","num_resources":0,"num_tags":0,"owner_org":"9670b282-0cbc-4122-86d7-7dd999426fdd","private":false,"references":"","state":"deleted","title":"Thrown away","type":"dataset","tags":[],"extras":[],"relationships_as_subject":[],"relationships_as_object":[]}','draft',NULL,'[]');
CREATE TABLE tag (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) WITHOUT ROWID;
INSERT INTO "tag" VALUES ('62e5499a-1974-4700-ba42-252d9bab48b2','beads');
CREATE TABLE dataset_tag (
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    tag_id TEXT NOT NULL REFERENCES tag(id),
    PRIMARY KEY (dataset_id, tag_id)
) WITHOUT ROWID;
INSERT INTO "dataset_tag" VALUES ('0827b20d-81b5-48a9-9c55-15ba76002b58','62e5499a-1974-4700-ba42-252d9bab48b2');
CREATE TABLE collection_dataset (
    collection_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE, added TEXT, added_by TEXT, basis TEXT NOT NULL DEFAULT 'earlier' CHECK (basis IN ('update', 'public', 'operator', 'earlier')), granted INTEGER NOT NULL DEFAULT 1 CHECK (granted IN (0, 1)),           -- behind the key: SQLite 3.40 finds NULLs in it otherwise
    PRIMARY KEY (collection_id, dataset_id)
) WITHOUT ROWID;
INSERT INTO "collection_dataset" VALUES ('0c830e6c-015d-45d2-93ab-e70bd1ef17e7','0827b20d-81b5-48a9-9c55-15ba76002b58','5f8cfe93-787f-449e-98a9-5f0d7f916bb2','2026-12-01T17:28:33.741689','ecf260c2-c826-463d-b87e-69a1cc965892','update',1);
CREATE TABLE collaborator (
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    capacity TEXT NOT NULL CHECK (capacity IN ('member', 'editor')),
    modified TEXT NOT NULL,
    PRIMARY KEY (dataset_id, user_id)
) WITHOUT ROWID;
INSERT INTO "collaborator" VALUES ('b8ba6f14-fe4f-4d00-8432-362c3a06aaad','7a57d2b2-b3bf-415e-9540-ef0e42516034','member','2026-12-01T17:28:35.500985');
CREATE TABLE follower (
    user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
    since TEXT NOT NULL,
    PRIMARY KEY (user_id, dataset_id)
) WITHOUT ROWID;
INSERT INTO "follower" VALUES ('7a57d2b2-b3bf-415e-9540-ef0e42516034','0827b20d-81b5-48a9-9c55-15ba76002b58','2026-12-01T17:28:35.540947');
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
    document TEXT NOT NULL DEFAULT '{}', crc32 INTEGER, shared_id TEXT, extras TEXT NOT NULL DEFAULT '{}',     -- its API answer, ready to send
    UNIQUE (dataset_id, name)
);
INSERT INTO "resource" VALUES (1,'f35341aa-7a62-48ca-8249-5160d2b10a71','0827b20d-81b5-48a9-9c55-15ba76002b58',0,'cells.rtdc','first',812082,'abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d','259eced3b2a23078e6a6cee824893053','RT-DC','RT-FDC','upload','active','2026-12-01T17:28:32.740592','2026-12-01T17:28:32.996965','2026-12-01T17:28:32.996965','{"sp:cells:organism": "human"}','{"dc:experiment:date": "2024-05-17", "dc:experiment:event count": 60, "dc:experiment:run index": 1, "dc:experiment:sample": "Demo cells", "dc:experiment:time": "10:04:03", "dc:fluorescence:bit depth": 16, "dc:fluorescence:channel 1 name": "525/50", "dc:fluorescence:channel 2 name": "593/46", "dc:fluorescence:channel 3 name": "700/75", "dc:fluorescence:channel count": 3, "dc:fluorescence:channels installed": 3, "dc:fluorescence:laser 1 lambda": 488.0, "dc:fluorescence:laser 1 power": 8.0, "dc:fluorescence:laser 3 lambda": 640.0, "dc:fluorescence:laser 3 power": 40.0, "dc:fluorescence:laser count": 2, "dc:fluorescence:lasers installed": 3, "dc:fluorescence:sample rate": 312500, "dc:fluorescence:samples per event": 177, "dc:fluorescence:signal max": 1.0, "dc:fluorescence:signal min": -1.0, "dc:fluorescence:trace median": 21, "dc:imaging:flash device": "LED (ZMD L1)", "dc:imaging:flash duration": 2.0, "dc:imaging:frame rate": 2000.0, "dc:imaging:pixel size": 0.34, "dc:imaging:roi position x": 629, "dc:imaging:roi position y": 512, "dc:imaging:roi size x": 250, "dc:imaging:roi size y": 80, "dc:online_contour:bin area min": 10, "dc:online_contour:bin kernel": 5, "dc:online_contour:bin threshold": -6, "dc:online_contour:image blur": 0, "dc:online_contour:no absdiff": true, "dc:setup:channel width": 20.0, "dc:setup:chip identifier": "demo-chip-1", "dc:setup:chip region": "channel", "dc:setup:flow rate": 0.06, "dc:setup:flow rate sample": 0.015, "dc:setup:flow rate sheath": 0.045, "dc:setup:identifier": "ZMDD-AcC-demo00-000001", "dc:setup:medium": "CellCarrierB", "dc:setup:module composition": "AcCellerator,FluorescenceModule", "dc:setup:software version": "ShapeIn 2.3.0 | dclab 0.73.4", "dc:setup:temperature": 23.0}',60,'{"cache_last_updated":null,"cache_url":null,"created":"2026-12-01T17:28:32.740592","dc:experiment:date":"2024-05-17","dc:experiment:event count":60,"dc:experiment:run index":1,"dc:experiment:sample":"Demo cells","dc:experiment:time":"10:04:03","dc:fluorescence:bit depth":16,"dc:fluorescence:channel 1 name":"525/50","dc:fluorescence:channel 2 name":"593/46","dc:fluorescence:channel 3 name":"700/75","dc:fluorescence:channel count":3,"dc:fluorescence:channels installed":3,"dc:fluorescence:laser 1 lambda":488.0,"dc:fluorescence:laser 1 power":8.0,"dc:fluorescence:laser 3 lambda":640.0,"dc:fluorescence:laser 3 power":40.0,"dc:fluorescence:laser count":2,"dc:fluorescence:lasers installed":3,"dc:fluorescence:sample rate":312500,"dc:fluorescence:samples per event":177,"dc:fluorescence:signal max":1.0,"dc:fluorescence:signal min":-1.0,"dc:fluorescence:trace median":21,"dc:imaging:flash device":"LED (ZMD L1)","dc:imaging:flash duration":2.0,"dc:imaging:frame rate":2000.0,"dc:imaging:pixel size":0.34,"dc:imaging:roi position x":629,"dc:imaging:roi position y":512,"dc:imaging:roi size x":250,"dc:imaging:roi size y":80,"dc:online_contour:bin area min":10,"dc:online_contour:bin kernel":5,"dc:online_contour:bin threshold":-6,"dc:online_contour:image blur":0,"dc:online_contour:no absdiff":true,"dc:setup:channel width":20.0,"dc:setup:chip identifier":"demo-chip-1","dc:setup:chip region":"channel","dc:setup:flow rate":0.06,"dc:setup:flow rate sample":0.015,"dc:setup:flow rate sheath":0.045,"dc:setup:identifier":"ZMDD-AcC-demo00-000001","dc:setup:medium":"CellCarrierB","dc:setup:module composition":"AcCellerator,FluorescenceModule","dc:setup:software version":"ShapeIn 2.3.0 | dclab 0.73.4","dc:setup:temperature":23.0,"description":"first","etag":"259eced3b2a23078e6a6cee824893053","sha256":"abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d","format":"RT-FDC","hash":"","id":"f35341aa-7a62-48ca-8249-5160d2b10a71","last_modified":"2026-12-01T17:28:32.996965","metadata_modified":"2026-12-01T17:28:32.996965","mimetype":"RT-DC","mimetype_inner":null,"name":"cells.rtdc","package_id":"0827b20d-81b5-48a9-9c55-15ba76002b58","position":0,"resource_type":null,"s3_available":true,"size":812082,"state":"active","url":"https://localhost:33717/dataset/0827b20d-81b5-48a9-9c55-15ba76002b58/resource/f35341aa-7a62-48ca-8249-5160d2b10a71/download/cells.rtdc","url_type":"upload","s3_url":"https://localhost:33717/dataset/0827b20d-81b5-48a9-9c55-15ba76002b58/resource/f35341aa-7a62-48ca-8249-5160d2b10a71/download/cells.rtdc","sp:cells:organism":"human"}',3623797183,NULL,'{}');
INSERT INTO "resource" VALUES (2,'4e083c1f-a909-4c5f-84c3-84ea793b28b0','b8ba6f14-fe4f-4d00-8432-362c3a06aaad',0,'patient.rtdc',NULL,812082,'abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d','259eced3b2a23078e6a6cee824893053','RT-DC','RT-FDC','upload','active','2026-12-01T17:28:33.789495','2026-12-01T17:28:34.306025','2026-12-01T17:28:34.306025','{}','{"dc:experiment:date": "2024-05-17", "dc:experiment:event count": 60, "dc:experiment:run index": 1, "dc:experiment:sample": "Demo cells", "dc:experiment:time": "10:04:03", "dc:fluorescence:bit depth": 16, "dc:fluorescence:channel 1 name": "525/50", "dc:fluorescence:channel 2 name": "593/46", "dc:fluorescence:channel 3 name": "700/75", "dc:fluorescence:channel count": 3, "dc:fluorescence:channels installed": 3, "dc:fluorescence:laser 1 lambda": 488.0, "dc:fluorescence:laser 1 power": 8.0, "dc:fluorescence:laser 3 lambda": 640.0, "dc:fluorescence:laser 3 power": 40.0, "dc:fluorescence:laser count": 2, "dc:fluorescence:lasers installed": 3, "dc:fluorescence:sample rate": 312500, "dc:fluorescence:samples per event": 177, "dc:fluorescence:signal max": 1.0, "dc:fluorescence:signal min": -1.0, "dc:fluorescence:trace median": 21, "dc:imaging:flash device": "LED (ZMD L1)", "dc:imaging:flash duration": 2.0, "dc:imaging:frame rate": 2000.0, "dc:imaging:pixel size": 0.34, "dc:imaging:roi position x": 629, "dc:imaging:roi position y": 512, "dc:imaging:roi size x": 250, "dc:imaging:roi size y": 80, "dc:online_contour:bin area min": 10, "dc:online_contour:bin kernel": 5, "dc:online_contour:bin threshold": -6, "dc:online_contour:image blur": 0, "dc:online_contour:no absdiff": true, "dc:setup:channel width": 20.0, "dc:setup:chip identifier": "demo-chip-1", "dc:setup:chip region": "channel", "dc:setup:flow rate": 0.06, "dc:setup:flow rate sample": 0.015, "dc:setup:flow rate sheath": 0.045, "dc:setup:identifier": "ZMDD-AcC-demo00-000001", "dc:setup:medium": "CellCarrierB", "dc:setup:module composition": "AcCellerator,FluorescenceModule", "dc:setup:software version": "ShapeIn 2.3.0 | dclab 0.73.4", "dc:setup:temperature": 23.0}',60,'{"cache_last_updated":null,"cache_url":null,"created":"2026-12-01T17:28:33.789495","dc:experiment:date":"2024-05-17","dc:experiment:event count":60,"dc:experiment:run index":1,"dc:experiment:sample":"Demo cells","dc:experiment:time":"10:04:03","dc:fluorescence:bit depth":16,"dc:fluorescence:channel 1 name":"525/50","dc:fluorescence:channel 2 name":"593/46","dc:fluorescence:channel 3 name":"700/75","dc:fluorescence:channel count":3,"dc:fluorescence:channels installed":3,"dc:fluorescence:laser 1 lambda":488.0,"dc:fluorescence:laser 1 power":8.0,"dc:fluorescence:laser 3 lambda":640.0,"dc:fluorescence:laser 3 power":40.0,"dc:fluorescence:laser count":2,"dc:fluorescence:lasers installed":3,"dc:fluorescence:sample rate":312500,"dc:fluorescence:samples per event":177,"dc:fluorescence:signal max":1.0,"dc:fluorescence:signal min":-1.0,"dc:fluorescence:trace median":21,"dc:imaging:flash device":"LED (ZMD L1)","dc:imaging:flash duration":2.0,"dc:imaging:frame rate":2000.0,"dc:imaging:pixel size":0.34,"dc:imaging:roi position x":629,"dc:imaging:roi position y":512,"dc:imaging:roi size x":250,"dc:imaging:roi size y":80,"dc:online_contour:bin area min":10,"dc:online_contour:bin kernel":5,"dc:online_contour:bin threshold":-6,"dc:online_contour:image blur":0,"dc:online_contour:no absdiff":true,"dc:setup:channel width":20.0,"dc:setup:chip identifier":"demo-chip-1","dc:setup:chip region":"channel","dc:setup:flow rate":0.06,"dc:setup:flow rate sample":0.015,"dc:setup:flow rate sheath":0.045,"dc:setup:identifier":"ZMDD-AcC-demo00-000001","dc:setup:medium":"CellCarrierB","dc:setup:module composition":"AcCellerator,FluorescenceModule","dc:setup:software version":"ShapeIn 2.3.0 | dclab 0.73.4","dc:setup:temperature":23.0,"description":null,"etag":"259eced3b2a23078e6a6cee824893053","sha256":"abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d","format":"RT-FDC","hash":"","id":"4e083c1f-a909-4c5f-84c3-84ea793b28b0","last_modified":"2026-12-01T17:28:34.306025","metadata_modified":"2026-12-01T17:28:34.306025","mimetype":"RT-DC","mimetype_inner":null,"name":"patient.rtdc","package_id":"b8ba6f14-fe4f-4d00-8432-362c3a06aaad","position":0,"resource_type":null,"s3_available":true,"size":812082,"state":"active","url":"https://localhost:33717/dataset/b8ba6f14-fe4f-4d00-8432-362c3a06aaad/resource/4e083c1f-a909-4c5f-84c3-84ea793b28b0/download/patient.rtdc","url_type":"upload","s3_url":"https://localhost:33717/dataset/b8ba6f14-fe4f-4d00-8432-362c3a06aaad/resource/4e083c1f-a909-4c5f-84c3-84ea793b28b0/download/patient.rtdc"}',3623797183,NULL,'{}');
CREATE TABLE artefact (
    resource_id TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    etag TEXT NOT NULL,
    created TEXT NOT NULL, site_url TEXT,
    PRIMARY KEY (resource_id, kind)
) WITHOUT ROWID;
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','columns',14696,'cc9aecffee616c2e1d44066367396a16105cc77ff932e329ac70565176a901ac','3183ee0c07c86c5492f7499be0f2aac3','2026-12-01T17:28:35.447697',NULL);
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','condensed',40192,'42d365262d14d981557db1e0ffeb7d97dadebdc6ee5b4c6523dc7b909a377e04','fbb04d5fe5d48ac832f42faeef25dcca','2026-12-01T17:28:34.913405','https://localhost:33717');
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','density',330664,'3ae697a0c1f28faecb562a6ca156a0f21bcf0391d4e9c4f8086f042af7404a83','9237710a835cba3d25cba76ff75bb237','2026-12-01T17:28:35.447690',NULL);
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','preview',43556,'39eb63ddc410f7050b31c3aa8f24e4f09016f8dddb371c045182f0e3be1afbcf','6072e8a23a67425294843a53f5a91c2e','2026-12-01T17:28:35.447629',NULL);
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','preview_jpeg',95392,'20e7a52760ba6b9a84f9b72fb1762c382fa29e11e2748e360f29a91a2546c238','c0711ceface602721cc552054ccb0b87','2026-12-01T17:28:35.447673',NULL);
INSERT INTO "artefact" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','thumbnail',9484,'089e203a082d8511664f13b9832d4fe30ed210ea0c71edba6868b24b7ca1a3c6','b9fed037e0d0c7e59b34559f3396a391','2026-12-01T17:28:35.447683',NULL);
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','columns',14696,'cc9aecffee616c2e1d44066367396a16105cc77ff932e329ac70565176a901ac','3183ee0c07c86c5492f7499be0f2aac3','2026-12-01T17:28:33.717688',NULL);
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','condensed',40192,'f39b2a4bfbf433d6d3caa243248988896c19f0b2aa5f5adb7604c302d7599b3a','e82739976cba7746f8d1f5e9511386fc','2026-12-01T17:28:33.352913','https://localhost:33717');
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','density',330664,'3ae697a0c1f28faecb562a6ca156a0f21bcf0391d4e9c4f8086f042af7404a83','9237710a835cba3d25cba76ff75bb237','2026-12-01T17:28:33.717678',NULL);
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','preview',43556,'39eb63ddc410f7050b31c3aa8f24e4f09016f8dddb371c045182f0e3be1afbcf','6072e8a23a67425294843a53f5a91c2e','2026-12-01T17:28:33.717619',NULL);
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','preview_jpeg',95392,'20e7a52760ba6b9a84f9b72fb1762c382fa29e11e2748e360f29a91a2546c238','c0711ceface602721cc552054ccb0b87','2026-12-01T17:28:33.717661',NULL);
INSERT INTO "artefact" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','thumbnail',9484,'089e203a082d8511664f13b9832d4fe30ed210ea0c71edba6868b24b7ca1a3c6','b9fed037e0d0c7e59b34559f3396a391','2026-12-01T17:28:33.717671',NULL);
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
, contents TEXT NOT NULL DEFAULT '{}', condensed_logs TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;
INSERT INTO "rtdc" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','{"experiment": {"date": "2024-05-17", "event count": 60, "run index": 1, "sample": "Demo cells", "time": "10:04:03"}, "fluorescence": {"bit depth": 16, "channel 1 name": "525/50", "channel 2 name": "593/46", "channel 3 name": "700/75", "channel count": 3, "channels installed": 3, "laser 1 lambda": 488.0, "laser 1 power": 8.0, "laser 3 lambda": 640.0, "laser 3 power": 40.0, "laser count": 2, "lasers installed": 3, "sample rate": 312500, "samples per event": 177, "signal max": 1.0, "signal min": -1.0, "trace median": 21}, "imaging": {"flash device": "LED (ZMD L1)", "flash duration": 2.0, "frame rate": 2000.0, "pixel size": 0.34, "roi position x": 629, "roi position y": 512, "roi size x": 250, "roi size y": 80}, "online_contour": {"bin area min": 10, "bin kernel": 5, "bin threshold": -6, "image blur": 0, "no absdiff": true}, "setup": {"channel width": 20.0, "chip identifier": "demo-chip-1", "chip region": "channel", "flow rate": 0.06, "flow rate sample": 0.015, "flow rate sheath": 0.045, "identifier": "ZMDD-AcC-demo00-000001", "medium": "CellCarrierB", "module composition": "AcCellerator,FluorescenceModule", "software version": "ShapeIn 2.3.0 | dclab 0.73.4", "temperature": 23.0}}','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "image", "image_bg", "inert_ratio_cvx", "inert_ratio_raw", "mask", "pos_x", "pos_y", "size_x", "size_y", "temp", "trace"]','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "inert_ratio_cvx", "inert_ratio_raw", "pos_x", "pos_y", "size_x", "size_y", "temp"]','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_bc_avg", "bright_bc_sd", "bright_perc_10", "bright_perc_90", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "index", "inert_ratio_cvx", "inert_ratio_prnc", "inert_ratio_raw", "pos_x", "pos_y", "size_x", "size_y", "temp", "tilt", "time", "volume"]','["fl1_median", "fl1_raw", "fl2_median", "fl2_raw", "fl3_median", "fl3_raw"]','{"demo-generator": ["{", "  \"generator\": \"appliance.demo.synthetic\",", "  \"sample\": \"Demo cells\",", "  \"seed\": 0,", "  \"synthetic\": true", "}"], "shapein-acquisition": ["[I] acquisition started", "[I] chip focussed, region of interest set", "[W] temperature sensor read 3 times", "[I] target event count reached"]}','{"cytoshot_monitor": [["time", "temperature", "brightness", "focus", "pressure_sample"], [[0.0, 22.992103545681733, 109.54024447192421, -0.03900557493656283, 251.29278977400133], [0.009101694915254237, 22.999496106713437, 109.964579399286, -0.006304006687855437, 251.48543228954878], [0.018203389830508475, 23.011597609601584, 110.50955133605807, 0.006088742071340459, 250.07695554708795], [0.027305084745762712, 23.000895042296055, 110.31630268856543, -0.01595230882011393, 248.6631375129566], [0.03640677966101695, 22.99485378815064, 110.32570450077681, 0.1272677592167542, 248.81013010273188], [0.04550847457627119, 22.987376043432953, 109.97114296070365, 0.15957189815871234, 249.06508745544335], [0.054610169491525425, 23.011407512872907, 109.52507544825082, -0.0029304092406922146, 251.87050342124962], [0.06371186440677966, 22.986203000477392, 109.48145820475634, 0.0238290341957345, 249.03908213781594], [0.0728135593220339, 22.980008707409073, 109.60875682011127, -0.03198073638268186, 249.64303716695127], [0.08191525423728814, 23.01387177663795, 110.11256351237249, 0.13139575007849055, 248.6303228922404], [0.09101694915254238, 23.02512079302136, 111.29891369038873, 0.11970747273281362, 251.08532716776017], [0.10011864406779661, 22.98118846949979, 109.60702553842931, -0.07174879288874775, 251.647693204059], [0.10922033898305085, 22.97285578317855, 110.22234551774073, -0.05780861900250827, 247.88239967616934], [0.11832203389830509, 22.982025946424848, 110.01745759676899, 0.0438032833397132, 251.01504161522865], [0.12742372881355932, 23.007549071796937, 110.05047315238038, 0.18350126059794014, 248.99890957835643], [0.13652542372881357, 23.027174415246204, 110.0431160435275, -0.0497035008006484, 250.10947736617348], [0.1456271186440678, 22.97134140730002, 109.8602603845718, -0.048661238815288506, 249.80524610865763], [0.15472881355932203, 23.021832008155837, 109.80792713759628, 0.20170032514102787, 252.0125067275327], [0.16383050847457628, 22.98232844306095, 110.09122125910044, 0.11848755369073971, 248.69778313052979], [0.1729322033898305, 23.010003464031392, 109.70152129815752, -0.14801294058365827, 251.04031704857223], [0.18203389830508476, 22.972015301661038, 110.28098617675086, -0.0782359137066243, 251.92008954429565], [0.191135593220339, 23.007845737255792, 110.34168353377224, -0.039778098808440486, 251.03440969504842], [0.20023728813559322, 23.012639806766863, 110.59245038215182, 0.1790928329689537, 248.9333515315994], [0.20933898305084747, 22.987154834810017, 110.75525331008413, 0.06537860637581536, 249.66867759184987], [0.2184406779661017, 22.99763319037443, 109.72151685998962, 0.013784992459567401, 251.57009610448054], [0.22754237288135593, 23.005457883615215, 109.78025216614051, -0.08677585782145654, 251.90919900527177], [0.23664406779661018, 22.988742505148107, 110.19291372207958, 0.01999776263348984, 251.1160389365192], [0.2457457627118644, 23.00002204260887, 110.334581553361, -0.023356537937663218, 251.41549905391088], [0.25484745762711863, 23.003488483496557, 109.68329157183673, 0.13588863890000333, 251.24915481041376], [0.2639491525423729, 23.0009797398744, 109.63078268642687, 0.07177258040697222, 251.97972897232646], [0.27305084745762714, 23.006590005067135, 109.60656120720375, -0.1481997114691488, 249.7505843402136], [0.28215254237288134, 23.023238710555557, 110.22663169386166, 0.0898335179885373, 251.716926809699], [0.2912542372881356, 23.01241688744368, 110.58851034676599, 0.10020862662226532, 251.0307069859734], [0.30035593220338985, 23.01901414334057, 109.78493897708191, 0.07886455740549267, 251.00443712438823], [0.30945762711864405, 23.010167083794656, 109.78941417517517, 0.24826040980448988, 248.30656855200937], [0.3185593220338983, 22.983905296972374, 109.483355346861, 0.05029739752255548, 251.0229951402813], [0.32766101694915256, 23.013207286345533, 109.26835148494435, -0.10401873933336497, 251.26486098072903], [0.33676271186440676, 22.96917550701428, 110.08852738465886, 0.035533299741959505, 251.0820294657295], [0.345864406779661, 22.99067548147237, 109.83005935369846, -0.09442758228390202, 249.63154466799259], [0.35496610169491527, 22.959801171507674, 109.79860171559449, 0.011353699381640825, 251.24200737766884], [0.3640677966101695, 22.979440233461702, 109.97052011229172, -0.026109174350354272, 248.35287491821592], [0.3731694915254237, 23.0052300606019, 109.98421898244251, 0.06520084370784283, 250.6352043624702], [0.382271186440678, 22.98655769148005, 109.75867902950337, -0.1094128370632907, 250.25850578639418], [0.39137288135593223, 23.002511440971233, 110.7605213088021, -0.010842005930619134, 249.88572751170827], [0.40047457627118643, 22.99820626002507, 109.76553171640604, -0.04414239943522655, 249.27209771869025], [0.4095762711864407, 23.00548906616369, 109.73663014426552, -0.14597555821134342, 250.40533937046638], [0.41867796610169494, 23.025367719827457, 109.94005806636291, 0.0006400439615570422, 250.03890919786335], [0.42777966101694914, 22.992679964452073, 110.26711878482418, 0.00048726691130646175, 251.50000305520376], [0.4368813559322034, 22.995287311878073, 110.43207018762669, 0.10557411257841531, 249.93959853947015], [0.44598305084745765, 23.00408793253478, 110.11272780053127, -0.11560302388072025, 249.88902516784418], [0.45508474576271185, 22.976236103443732, 109.83689151918318, 0.03710634058808564, 250.21218589933997], [0.4641864406779661, 23.022798235865157, 109.80637107845192, 0.014136105878020201, 249.6631858712958], [0.47328813559322036, 22.994983852143186, 110.4947507402664, 0.019449702570582802, 250.92735113368406], [0.48238983050847456, 23.01118997241679, 109.9399603667428, 0.009624246731940225, 250.18760993589459], [0.4914915254237288, 22.968270401579794, 110.0526649447139, 0.006667978770894294, 248.04531590937657], [0.500593220338983, 22.981874990646457, 110.04931877928756, -0.04617598215192521, 248.4361991431373], [0.5096949152542373, 22.948812943592404, 109.6238912614986, -0.03379917641211697, 249.65647506071707], [0.5187966101694915, 22.971676349470105, 110.90277099257717, -0.24222934924562134, 249.89873849229204], [0.5278983050847458, 22.951971545138324, 109.57224923048048, 0.15893910756494672, 251.26940091729836], [0.537, 23.01416372887517, 110.02947856330232, 0.09103858029415737, 249.89939097299677]]]}','{"area_cvx": {"count": 60, "nan": 0, "min": 183.5, "max": 1149.5, "mean": 787.15, "sd": 191.6055909935824, "q01": 207.395, "q25": 697.5, "median": 796.25, "q75": 907.875, "q99": 1120.59}, "area_msd": {"count": 60, "nan": 0, "min": 179.0, "max": 1117.5, "mean": 769.0916666666667, "sd": 188.0547236769718, "q01": 202.01, "q25": 675.375, "median": 779.0, "q75": 887.0, "q99": 1096.2599999999998}, "area_ratio": {"count": 60, "nan": 0, "min": 1.015046238899231, "max": 1.0377497673034668, "mean": 1.023778208096822, "sd": 0.004392425207329972, "q01": 1.0159392631053925, "q25": 1.0208907723426819, "median": 1.0235931277275085, "q75": 1.0271727442741394, "q99": 1.0344939601421357}, "area_um": {"count": 60, "nan": 0, "min": 21.212600708007812, "max": 132.8822021484375, "mean": 90.99453973770142, "sd": 22.149606131394425, "q01": 23.97486207962036, "q25": 80.6309986114502, "median": 92.04650115966797, "q75": 104.95035171508789, "q99": 129.5402027130127}, "aspect": {"count": 60, "nan": 0, "min": 1.2857142686843872, "max": 2.125, "mean": 1.7622092266877492, "sd": 0.17243841095480603, "q01": 1.3138095402717591, "q25": 1.6766666173934937, "median": 1.7599999904632568, "q75": 1.8811538517475128, "q99": 2.1168055868148805}, "bright_avg": {"count": 60, "nan": 0, "min": 101.82178497314453, "max": 109.2826919555664, "mean": 106.37131169637044, "sd": 1.7827498394219647, "q01": 102.25411193847657, "q25": 105.21416473388672, "median": 106.55210876464844, "q75": 107.80805397033691, "q99": 109.27539527893066}, "bright_bc_avg": {"count": 60, "nan": 0, "min": -7.930693069306931, "max": -1.924200913242009, "mean": -3.5554626572683774, "sd": 1.0312561627577335, "q01": -7.212321863333875, "q25": -3.9667925055928412, "median": -3.479818059299191, "q75": -2.8346559891632355, "q99": -2.0157654746182603}, "bright_bc_sd": {"count": 60, "nan": 0, "min": 11.509580534238005, "max": 14.670447888231143, "mean": 14.142517695493472, "sd": 0.6831420055528751, "q01": 11.613243378629134, "q25": 14.174967971398921, "median": 14.29351739148252, "q75": 14.439305999540936, "q99": 14.664295885375832}, "bright_perc_10": {"count": 60, "nan": 0, "min": -26.0, "max": -20.0, "mean": -24.641666666666666, "sd": 1.1508390658800023, "q01": -25.646, "q25": -25.0, "median": -25.0, "q75": -25.0, "q99": -20.058999999999997}, "bright_perc_90": {"count": 60, "nan": 0, "min": 8.0, "max": 12.0, "mean": 11.610000000000001, "sd": 0.8330066026148882, "q01": 8.59, "q25": 11.75, "median": 12.0, "q75": 12.0, "q99": 12.0}, "bright_sd": {"count": 60, "nan": 0, "min": 11.486294746398926, "max": 14.683263778686523, "mean": 14.164099725087484, "sd": 0.6929484535536758, "q01": 11.51151351928711, "q25": 14.187898635864258, "median": 14.329674243927002, "q75": 14.465688705444336, "q99": 14.660558443069458}, "circ": {"count": 60, "nan": 0, "min": 0.8982422351837158, "max": 0.9753674864768982, "mean": 0.9356527159611384, "sd": 0.016575878000533315, "q01": 0.8986652910709381, "q25": 0.9252007454633713, "median": 0.9352037608623505, "q75": 0.9449489116668701, "q99": 0.9743699115514756}, "deform": {"count": 60, "nan": 0, "min": 0.02463250607252121, "max": 0.10175777971744537, "mean": 0.0643472840078175, "sd": 0.016575877808331422, "q01": 0.025630093086510895, "q25": 0.055051086470484734, "median": 0.06479623168706894, "q75": 0.07479923591017723, "q99": 0.10133471064269542}, "fl1_area": {"count": 60, "nan": 0, "min": 4475.94140625, "max": 160692.53125, "mean": 51063.068538411455, "sd": 28334.007253078064, "q01": 7245.575986328125, "q25": 29647.51806640625, "median": 49217.375, "q75": 65626.94921875, "q99": 132253.62320312485}, "fl1_max": {"count": 60, "nan": 0, "min": 193.0, "max": 6285.0, "mean": 2464.2833333333333, "sd": 1276.0627608868704, "q01": 444.92999999999995, "q25": 1521.0, "median": 2223.0, "q75": 3297.5, "q99": 5561.659999999996}, "fl1_pos": {"count": 60, "nan": 0, "min": 223.32211303710938, "max": 341.6197204589844, "mean": 288.1439771016439, "sd": 19.9594507424576, "q01": 237.24157928466798, "q25": 276.2665786743164, "median": 287.9574737548828, "q75": 300.54663848876953, "q99": 329.2120932006835}, "fl1_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "fl2_area": {"count": 60, "nan": 0, "min": 2375.920166015625, "max": 40911.1171875, "mean": 9513.590063476562, "sd": 6932.9557059217495, "q01": 2704.600437011719, "q25": 5025.84375, "median": 7938.34814453125, "q75": 11321.84912109375, "q99": 36631.26179687498}, "fl2_max": {"count": 60, "nan": 0, "min": 131.0, "max": 2283.0, "mean": 455.68333333333334, "sd": 340.1300482495221, "q01": 131.59, "q25": 295.0, "median": 379.0, "q75": 514.0, "q99": 1867.0499999999975}, "fl2_pos": {"count": 60, "nan": 0, "min": 219.08221435546875, "max": 341.7509765625, "mean": 288.22454223632815, "sd": 20.402547744665956, "q01": 234.31963775634765, "q25": 276.26910400390625, "median": 288.28883361816406, "q75": 301.9296188354492, "q99": 329.67412597656244}, "fl2_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "fl3_area": {"count": 60, "nan": 0, "min": 872.651611328125, "max": 7007.54150390625, "mean": 2852.600272623698, "sd": 1265.3012951227697, "q01": 993.6618933105469, "q25": 1959.7224426269531, "median": 2674.1539306640625, "q75": 3258.1090087890625, "q99": 6635.571567382811}, "fl3_max": {"count": 60, "nan": 0, "min": 59.0, "max": 286.0, "mean": 137.35, "sd": 53.90851045985226, "q01": 62.54, "q25": 93.0, "median": 126.0, "q75": 163.25, "q99": 278.91999999999996}, "fl3_pos": {"count": 60, "nan": 0, "min": 229.1692352294922, "max": 342.2195739746094, "mean": 288.26209411621096, "sd": 19.912604775108562, "q01": 240.56285400390624, "q25": 276.2140121459961, "median": 287.7333679199219, "q75": 303.1417922973633, "q99": 329.4138299560546}, "fl3_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "frame": {"count": 60, "nan": 0, "min": 36.0, "max": 1074.0, "mean": 518.3666666666667, "sd": 297.16616937703765, "q01": 58.42, "q25": 254.25, "median": 512.5, "q75": 766.0, "q99": 1058.6599999999999}, "index": {"count": 60, "nan": 0, "min": 1.0, "max": 60.0, "mean": 30.5, "sd": 17.318102282486574, "q01": 1.5899999999999999, "q25": 15.75, "median": 30.5, "q75": 45.25, "q99": 59.41}, "inert_ratio_cvx": {"count": 60, "nan": 0, "min": 1.302765965461731, "max": 2.140077590942383, "mean": 1.7801398793856302, "sd": 0.1687617098990098, "q01": 1.3344706106185913, "q25": 1.6941528022289276, "median": 1.7885977029800415, "q75": 1.886493742465973, "q99": 2.135909206867218}, "inert_ratio_prnc": {"count": 60, "nan": 0, "min": 1.3183923959732056, "max": 2.181790828704834, "mean": 1.8038038909435272, "sd": 0.17022794856497261, "q01": 1.3412363588809968, "q25": 1.7111366391181946, "median": 1.8172762393951416, "q75": 1.9086267948150635, "q99": 2.172764229774475}, "inert_ratio_raw": {"count": 60, "nan": 0, "min": 1.3183681964874268, "max": 2.1817891597747803, "mean": 1.8037758787473044, "sd": 0.17023941513913893, "q01": 1.3412264370918274, "q25": 1.7110698819160461, "median": 1.8172029256820679, "q75": 1.908574640750885, "q99": 2.1727480721473693}, "pos_x": {"count": 60, "nan": 0, "min": 18.58498764038086, "max": 66.12999725341797, "mean": 42.159209632873534, "sd": 14.391407536898559, "q01": 19.324193649291992, "q25": 29.37952423095703, "median": 42.603538513183594, "q75": 55.05604839324951, "q99": 64.3371799468994}, "pos_y": {"count": 60, "nan": 0, "min": 12.248711585998535, "max": 14.816414833068848, "mean": 13.646289714177449, "sd": 0.6179022656443625, "q01": 12.249251747131348, "q25": 13.314929008483887, "median": 13.685368061065674, "q75": 14.050583362579346, "q99": 14.789635219573974}, "size_x": {"count": 60, "nan": 0, "min": 6.119999885559082, "max": 19.3799991607666, "mean": 14.483999999364217, "sd": 2.3954924268237408, "q01": 6.521200065612793, "q25": 13.260000228881836, "median": 14.449999809265137, "q75": 15.979999542236328, "q99": 18.778200016021724}, "size_y": {"count": 60, "nan": 0, "min": 4.760000228881836, "max": 9.859999656677246, "mean": 8.177000053723653, "sd": 0.9004652873915249, "q01": 4.960600037574768, "q25": 7.820000171661377, "median": 8.15999984741211, "q75": 8.84000015258789, "q99": 9.659400129318236}, "temp": {"count": 60, "nan": 0, "min": 23.00617790222168, "max": 23.21616554260254, "mean": 23.13083569208781, "sd": 0.060144064752499324, "q01": 23.01436134338379, "q25": 23.06798505783081, "median": 23.138879776000977, "q75": 23.18396520614624, "q99": 23.213111381530762}, "tilt": {"count": 60, "nan": 0, "min": 0.0, "max": 0.012983511246557038, "mean": 0.0026676138749103097, "sd": 0.0026118202073371023, "q01": 0.0, "q25": 0.0010493383093971265, "median": 0.001955537061671505, "q75": 0.00390046904681137, "q99": 0.012763904220691924}, "time": {"count": 60, "nan": 0, "min": 0.018, "max": 0.537, "mean": 0.2591833333333333, "sd": 0.14858308468851883, "q01": 0.02921, "q25": 0.127125, "median": 0.25625, "q75": 0.383, "q99": 0.52933}, "volume": {"count": 60, "nan": 0, "min": 61.84480754115495, "max": 750.6639630137315, "mean": 477.0070461421193, "sd": 152.03551962535772, "q01": 73.70549853445385, "q25": 389.7976881001877, "median": 489.411600007629, "q75": 566.137403841901, "q99": 749.4785718462919}}','{"cues":[{"level":"info","category":"general","message":{"template":"Compression: All","values":{}},"section":null,"key":null},{"level":"info","category":"general","message":{"template":"Data file format: %(format)s","values":{"format":"hdf5"}},"section":null,"key":null},{"level":"info","category":"general","message":{"template":"Fluorescence: True","values":{}},"section":null,"key":null}],"sane":true,"sanity_errors":[],"stripped_basins":[]}','[]','ebdf786a-ce37-bf57-1e9a-86725e6617bf','[]','{"template":"%(text_0)s %(text_1)s %(text_2)s %(text_3)s %(text_4)s %(text_5)s","values":{"text_0":{"template":"Overview of %(events)s events.","values":{"events":60}},"text_1":{"template":"%(feature)s: median %(median)s%(unit)s, 98 %% of the events between %(low)s and %(high)s%(unit)s.","values":{"feature":{"template":"Area","values":{}},"unit":" µm²","median":"92.05","low":"23.97","high":"129.5"}},"text_2":{"template":"%(feature)s: median %(median)s%(unit)s, 98 %% of the events between %(low)s and %(high)s%(unit)s.","values":{"feature":{"template":"Deformation","values":{}},"unit":"","median":"0.0648","low":"0.02563","high":"0.1013"}},"text_3":{"template":"Image of event %(event)s with its contour, %(size)s.","values":{"event":48,"size":{"template":"%(columns)s × %(rows)s pixels","values":{"columns":250,"rows":80}}}},"text_4":{"template":"Mask of event %(event)s, %(pixels)s pixels.","values":{"event":48,"pixels":919}},"text_5":{"template":"Fluorescence traces of event %(event)s: %(peaks)s.","values":{"event":48,"peaks":{"template":"%(text_0)s, %(text_1)s, %(text_2)s","values":{"text_0":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"1","peak":2805}},"text_1":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"2","peak":589}},"text_2":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"3","peak":89}}}}}}}}',1,'2026-12-01T17:28:34.313788','{"logs": {"lengths": {"demo-generator": 6, "shapein-acquisition": 4}, "whole": true, "over": null}, "tables": {"lengths": {"cytoshot_monitor": 60}, "whole": true, "over": null}, "bytes": 3738040}','{"dclab-condense": ["{", "  \"features_ancillary\": [", "    \"bright_bc_avg\",", "    \"bright_bc_sd\",", "    \"bright_perc_10\",", "    \"bright_perc_90\",", "    \"inert_ratio_prnc\",", "    \"tilt\",", "    \"volume\"", "  ],", "  \"features_basin\": [],", "  \"features_original_innate\": [", "    \"area_cvx\",", "    \"area_msd\",", "    \"area_ratio\",", "    \"area_um\",", "    \"aspect\",", "    \"bright_avg\",", "    \"bright_sd\",", "    \"circ\",", "    \"deform\",", "    \"fl1_area\",", "    \"fl1_max\",", "    \"fl1_pos\",", "    \"fl1_width\",", "    \"fl2_area\",", "    \"fl2_max\",", "    \"fl2_pos\",", "    \"fl2_width\",", "    \"fl3_area\",", "    \"fl3_max\",", "    \"fl3_pos\",", "    \"fl3_width\",", "    \"frame\",", "    \"image\",", "    \"image_bg\",", "    \"inert_ratio_cvx\",", "    \"inert_ratio_raw\",", "    \"mask\",", "    \"pos_x\",", "    \"pos_y\",", "    \"size_x\",", "    \"size_y\",", "    \"temp\",", "    \"trace\"", "  ],", "  \"files\": [", "    {", "      \"index\": 1,", "      \"md5-5M\": \"259eced3b2a23078e6a6cee824893053\",", "      \"name\": \"patient.rtdc\"", "    }", "  ],", "  \"libraries\": {", "    \"dclab\": \"0.73.4\",", "    \"h5py\": \"3.16.0\",", "    \"numpy\": \"2.4.6\"", "  },", "  \"python\": {", "    \"build\": \"main, Apr 28 2025 14:11:48\",", "    \"implementation\": \"CPython\",", "    \"version\": \"3.11.2\"", "  },", "  \"system\": {", "    \"info\": \"Linux-6.18.44-fc-v857-x86_64-with-glibc2.36\",", "    \"machine\": \"x86_64\",", "    \"name\": \"Linux\",", "    \"release\": \"6.18.44-fc-v857\",", "    \"version\": \"#1 SMP PREEMPT_DYNAMIC @0\"", "  },", "  \"utc\": {", "    \"date\": \"2026-12-01\",", "    \"time\": \"17:28:34\"", "  }", "}"]}');
INSERT INTO "rtdc" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','{"experiment": {"date": "2024-05-17", "event count": 60, "run index": 1, "sample": "Demo cells", "time": "10:04:03"}, "fluorescence": {"bit depth": 16, "channel 1 name": "525/50", "channel 2 name": "593/46", "channel 3 name": "700/75", "channel count": 3, "channels installed": 3, "laser 1 lambda": 488.0, "laser 1 power": 8.0, "laser 3 lambda": 640.0, "laser 3 power": 40.0, "laser count": 2, "lasers installed": 3, "sample rate": 312500, "samples per event": 177, "signal max": 1.0, "signal min": -1.0, "trace median": 21}, "imaging": {"flash device": "LED (ZMD L1)", "flash duration": 2.0, "frame rate": 2000.0, "pixel size": 0.34, "roi position x": 629, "roi position y": 512, "roi size x": 250, "roi size y": 80}, "online_contour": {"bin area min": 10, "bin kernel": 5, "bin threshold": -6, "image blur": 0, "no absdiff": true}, "setup": {"channel width": 20.0, "chip identifier": "demo-chip-1", "chip region": "channel", "flow rate": 0.06, "flow rate sample": 0.015, "flow rate sheath": 0.045, "identifier": "ZMDD-AcC-demo00-000001", "medium": "CellCarrierB", "module composition": "AcCellerator,FluorescenceModule", "software version": "ShapeIn 2.3.0 | dclab 0.73.4", "temperature": 23.0}}','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "image", "image_bg", "inert_ratio_cvx", "inert_ratio_raw", "mask", "pos_x", "pos_y", "size_x", "size_y", "temp", "trace"]','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "inert_ratio_cvx", "inert_ratio_raw", "pos_x", "pos_y", "size_x", "size_y", "temp"]','["area_cvx", "area_msd", "area_ratio", "area_um", "aspect", "bright_avg", "bright_bc_avg", "bright_bc_sd", "bright_perc_10", "bright_perc_90", "bright_sd", "circ", "deform", "fl1_area", "fl1_max", "fl1_pos", "fl1_width", "fl2_area", "fl2_max", "fl2_pos", "fl2_width", "fl3_area", "fl3_max", "fl3_pos", "fl3_width", "frame", "index", "inert_ratio_cvx", "inert_ratio_prnc", "inert_ratio_raw", "pos_x", "pos_y", "size_x", "size_y", "temp", "tilt", "time", "volume"]','["fl1_median", "fl1_raw", "fl2_median", "fl2_raw", "fl3_median", "fl3_raw"]','{"demo-generator": ["{", "  \"generator\": \"appliance.demo.synthetic\",", "  \"sample\": \"Demo cells\",", "  \"seed\": 0,", "  \"synthetic\": true", "}"], "shapein-acquisition": ["[I] acquisition started", "[I] chip focussed, region of interest set", "[W] temperature sensor read 3 times", "[I] target event count reached"]}','{"cytoshot_monitor": [["time", "temperature", "brightness", "focus", "pressure_sample"], [[0.0, 22.992103545681733, 109.54024447192421, -0.03900557493656283, 251.29278977400133], [0.009101694915254237, 22.999496106713437, 109.964579399286, -0.006304006687855437, 251.48543228954878], [0.018203389830508475, 23.011597609601584, 110.50955133605807, 0.006088742071340459, 250.07695554708795], [0.027305084745762712, 23.000895042296055, 110.31630268856543, -0.01595230882011393, 248.6631375129566], [0.03640677966101695, 22.99485378815064, 110.32570450077681, 0.1272677592167542, 248.81013010273188], [0.04550847457627119, 22.987376043432953, 109.97114296070365, 0.15957189815871234, 249.06508745544335], [0.054610169491525425, 23.011407512872907, 109.52507544825082, -0.0029304092406922146, 251.87050342124962], [0.06371186440677966, 22.986203000477392, 109.48145820475634, 0.0238290341957345, 249.03908213781594], [0.0728135593220339, 22.980008707409073, 109.60875682011127, -0.03198073638268186, 249.64303716695127], [0.08191525423728814, 23.01387177663795, 110.11256351237249, 0.13139575007849055, 248.6303228922404], [0.09101694915254238, 23.02512079302136, 111.29891369038873, 0.11970747273281362, 251.08532716776017], [0.10011864406779661, 22.98118846949979, 109.60702553842931, -0.07174879288874775, 251.647693204059], [0.10922033898305085, 22.97285578317855, 110.22234551774073, -0.05780861900250827, 247.88239967616934], [0.11832203389830509, 22.982025946424848, 110.01745759676899, 0.0438032833397132, 251.01504161522865], [0.12742372881355932, 23.007549071796937, 110.05047315238038, 0.18350126059794014, 248.99890957835643], [0.13652542372881357, 23.027174415246204, 110.0431160435275, -0.0497035008006484, 250.10947736617348], [0.1456271186440678, 22.97134140730002, 109.8602603845718, -0.048661238815288506, 249.80524610865763], [0.15472881355932203, 23.021832008155837, 109.80792713759628, 0.20170032514102787, 252.0125067275327], [0.16383050847457628, 22.98232844306095, 110.09122125910044, 0.11848755369073971, 248.69778313052979], [0.1729322033898305, 23.010003464031392, 109.70152129815752, -0.14801294058365827, 251.04031704857223], [0.18203389830508476, 22.972015301661038, 110.28098617675086, -0.0782359137066243, 251.92008954429565], [0.191135593220339, 23.007845737255792, 110.34168353377224, -0.039778098808440486, 251.03440969504842], [0.20023728813559322, 23.012639806766863, 110.59245038215182, 0.1790928329689537, 248.9333515315994], [0.20933898305084747, 22.987154834810017, 110.75525331008413, 0.06537860637581536, 249.66867759184987], [0.2184406779661017, 22.99763319037443, 109.72151685998962, 0.013784992459567401, 251.57009610448054], [0.22754237288135593, 23.005457883615215, 109.78025216614051, -0.08677585782145654, 251.90919900527177], [0.23664406779661018, 22.988742505148107, 110.19291372207958, 0.01999776263348984, 251.1160389365192], [0.2457457627118644, 23.00002204260887, 110.334581553361, -0.023356537937663218, 251.41549905391088], [0.25484745762711863, 23.003488483496557, 109.68329157183673, 0.13588863890000333, 251.24915481041376], [0.2639491525423729, 23.0009797398744, 109.63078268642687, 0.07177258040697222, 251.97972897232646], [0.27305084745762714, 23.006590005067135, 109.60656120720375, -0.1481997114691488, 249.7505843402136], [0.28215254237288134, 23.023238710555557, 110.22663169386166, 0.0898335179885373, 251.716926809699], [0.2912542372881356, 23.01241688744368, 110.58851034676599, 0.10020862662226532, 251.0307069859734], [0.30035593220338985, 23.01901414334057, 109.78493897708191, 0.07886455740549267, 251.00443712438823], [0.30945762711864405, 23.010167083794656, 109.78941417517517, 0.24826040980448988, 248.30656855200937], [0.3185593220338983, 22.983905296972374, 109.483355346861, 0.05029739752255548, 251.0229951402813], [0.32766101694915256, 23.013207286345533, 109.26835148494435, -0.10401873933336497, 251.26486098072903], [0.33676271186440676, 22.96917550701428, 110.08852738465886, 0.035533299741959505, 251.0820294657295], [0.345864406779661, 22.99067548147237, 109.83005935369846, -0.09442758228390202, 249.63154466799259], [0.35496610169491527, 22.959801171507674, 109.79860171559449, 0.011353699381640825, 251.24200737766884], [0.3640677966101695, 22.979440233461702, 109.97052011229172, -0.026109174350354272, 248.35287491821592], [0.3731694915254237, 23.0052300606019, 109.98421898244251, 0.06520084370784283, 250.6352043624702], [0.382271186440678, 22.98655769148005, 109.75867902950337, -0.1094128370632907, 250.25850578639418], [0.39137288135593223, 23.002511440971233, 110.7605213088021, -0.010842005930619134, 249.88572751170827], [0.40047457627118643, 22.99820626002507, 109.76553171640604, -0.04414239943522655, 249.27209771869025], [0.4095762711864407, 23.00548906616369, 109.73663014426552, -0.14597555821134342, 250.40533937046638], [0.41867796610169494, 23.025367719827457, 109.94005806636291, 0.0006400439615570422, 250.03890919786335], [0.42777966101694914, 22.992679964452073, 110.26711878482418, 0.00048726691130646175, 251.50000305520376], [0.4368813559322034, 22.995287311878073, 110.43207018762669, 0.10557411257841531, 249.93959853947015], [0.44598305084745765, 23.00408793253478, 110.11272780053127, -0.11560302388072025, 249.88902516784418], [0.45508474576271185, 22.976236103443732, 109.83689151918318, 0.03710634058808564, 250.21218589933997], [0.4641864406779661, 23.022798235865157, 109.80637107845192, 0.014136105878020201, 249.6631858712958], [0.47328813559322036, 22.994983852143186, 110.4947507402664, 0.019449702570582802, 250.92735113368406], [0.48238983050847456, 23.01118997241679, 109.9399603667428, 0.009624246731940225, 250.18760993589459], [0.4914915254237288, 22.968270401579794, 110.0526649447139, 0.006667978770894294, 248.04531590937657], [0.500593220338983, 22.981874990646457, 110.04931877928756, -0.04617598215192521, 248.4361991431373], [0.5096949152542373, 22.948812943592404, 109.6238912614986, -0.03379917641211697, 249.65647506071707], [0.5187966101694915, 22.971676349470105, 110.90277099257717, -0.24222934924562134, 249.89873849229204], [0.5278983050847458, 22.951971545138324, 109.57224923048048, 0.15893910756494672, 251.26940091729836], [0.537, 23.01416372887517, 110.02947856330232, 0.09103858029415737, 249.89939097299677]]]}','{"area_cvx": {"count": 60, "nan": 0, "min": 183.5, "max": 1149.5, "mean": 787.15, "sd": 191.6055909935824, "q01": 207.395, "q25": 697.5, "median": 796.25, "q75": 907.875, "q99": 1120.59}, "area_msd": {"count": 60, "nan": 0, "min": 179.0, "max": 1117.5, "mean": 769.0916666666667, "sd": 188.0547236769718, "q01": 202.01, "q25": 675.375, "median": 779.0, "q75": 887.0, "q99": 1096.2599999999998}, "area_ratio": {"count": 60, "nan": 0, "min": 1.015046238899231, "max": 1.0377497673034668, "mean": 1.023778208096822, "sd": 0.004392425207329972, "q01": 1.0159392631053925, "q25": 1.0208907723426819, "median": 1.0235931277275085, "q75": 1.0271727442741394, "q99": 1.0344939601421357}, "area_um": {"count": 60, "nan": 0, "min": 21.212600708007812, "max": 132.8822021484375, "mean": 90.99453973770142, "sd": 22.149606131394425, "q01": 23.97486207962036, "q25": 80.6309986114502, "median": 92.04650115966797, "q75": 104.95035171508789, "q99": 129.5402027130127}, "aspect": {"count": 60, "nan": 0, "min": 1.2857142686843872, "max": 2.125, "mean": 1.7622092266877492, "sd": 0.17243841095480603, "q01": 1.3138095402717591, "q25": 1.6766666173934937, "median": 1.7599999904632568, "q75": 1.8811538517475128, "q99": 2.1168055868148805}, "bright_avg": {"count": 60, "nan": 0, "min": 101.82178497314453, "max": 109.2826919555664, "mean": 106.37131169637044, "sd": 1.7827498394219647, "q01": 102.25411193847657, "q25": 105.21416473388672, "median": 106.55210876464844, "q75": 107.80805397033691, "q99": 109.27539527893066}, "bright_bc_avg": {"count": 60, "nan": 0, "min": -7.930693069306931, "max": -1.924200913242009, "mean": -3.5554626572683774, "sd": 1.0312561627577335, "q01": -7.212321863333875, "q25": -3.9667925055928412, "median": -3.479818059299191, "q75": -2.8346559891632355, "q99": -2.0157654746182603}, "bright_bc_sd": {"count": 60, "nan": 0, "min": 11.509580534238005, "max": 14.670447888231143, "mean": 14.142517695493472, "sd": 0.6831420055528751, "q01": 11.613243378629134, "q25": 14.174967971398921, "median": 14.29351739148252, "q75": 14.439305999540936, "q99": 14.664295885375832}, "bright_perc_10": {"count": 60, "nan": 0, "min": -26.0, "max": -20.0, "mean": -24.641666666666666, "sd": 1.1508390658800023, "q01": -25.646, "q25": -25.0, "median": -25.0, "q75": -25.0, "q99": -20.058999999999997}, "bright_perc_90": {"count": 60, "nan": 0, "min": 8.0, "max": 12.0, "mean": 11.610000000000001, "sd": 0.8330066026148882, "q01": 8.59, "q25": 11.75, "median": 12.0, "q75": 12.0, "q99": 12.0}, "bright_sd": {"count": 60, "nan": 0, "min": 11.486294746398926, "max": 14.683263778686523, "mean": 14.164099725087484, "sd": 0.6929484535536758, "q01": 11.51151351928711, "q25": 14.187898635864258, "median": 14.329674243927002, "q75": 14.465688705444336, "q99": 14.660558443069458}, "circ": {"count": 60, "nan": 0, "min": 0.8982422351837158, "max": 0.9753674864768982, "mean": 0.9356527159611384, "sd": 0.016575878000533315, "q01": 0.8986652910709381, "q25": 0.9252007454633713, "median": 0.9352037608623505, "q75": 0.9449489116668701, "q99": 0.9743699115514756}, "deform": {"count": 60, "nan": 0, "min": 0.02463250607252121, "max": 0.10175777971744537, "mean": 0.0643472840078175, "sd": 0.016575877808331422, "q01": 0.025630093086510895, "q25": 0.055051086470484734, "median": 0.06479623168706894, "q75": 0.07479923591017723, "q99": 0.10133471064269542}, "fl1_area": {"count": 60, "nan": 0, "min": 4475.94140625, "max": 160692.53125, "mean": 51063.068538411455, "sd": 28334.007253078064, "q01": 7245.575986328125, "q25": 29647.51806640625, "median": 49217.375, "q75": 65626.94921875, "q99": 132253.62320312485}, "fl1_max": {"count": 60, "nan": 0, "min": 193.0, "max": 6285.0, "mean": 2464.2833333333333, "sd": 1276.0627608868704, "q01": 444.92999999999995, "q25": 1521.0, "median": 2223.0, "q75": 3297.5, "q99": 5561.659999999996}, "fl1_pos": {"count": 60, "nan": 0, "min": 223.32211303710938, "max": 341.6197204589844, "mean": 288.1439771016439, "sd": 19.9594507424576, "q01": 237.24157928466798, "q25": 276.2665786743164, "median": 287.9574737548828, "q75": 300.54663848876953, "q99": 329.2120932006835}, "fl1_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "fl2_area": {"count": 60, "nan": 0, "min": 2375.920166015625, "max": 40911.1171875, "mean": 9513.590063476562, "sd": 6932.9557059217495, "q01": 2704.600437011719, "q25": 5025.84375, "median": 7938.34814453125, "q75": 11321.84912109375, "q99": 36631.26179687498}, "fl2_max": {"count": 60, "nan": 0, "min": 131.0, "max": 2283.0, "mean": 455.68333333333334, "sd": 340.1300482495221, "q01": 131.59, "q25": 295.0, "median": 379.0, "q75": 514.0, "q99": 1867.0499999999975}, "fl2_pos": {"count": 60, "nan": 0, "min": 219.08221435546875, "max": 341.7509765625, "mean": 288.22454223632815, "sd": 20.402547744665956, "q01": 234.31963775634765, "q25": 276.26910400390625, "median": 288.28883361816406, "q75": 301.9296188354492, "q99": 329.67412597656244}, "fl2_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "fl3_area": {"count": 60, "nan": 0, "min": 872.651611328125, "max": 7007.54150390625, "mean": 2852.600272623698, "sd": 1265.3012951227697, "q01": 993.6618933105469, "q25": 1959.7224426269531, "median": 2674.1539306640625, "q75": 3258.1090087890625, "q99": 6635.571567382811}, "fl3_max": {"count": 60, "nan": 0, "min": 59.0, "max": 286.0, "mean": 137.35, "sd": 53.90851045985226, "q01": 62.54, "q25": 93.0, "median": 126.0, "q75": 163.25, "q99": 278.91999999999996}, "fl3_pos": {"count": 60, "nan": 0, "min": 229.1692352294922, "max": 342.2195739746094, "mean": 288.26209411621096, "sd": 19.912604775108562, "q01": 240.56285400390624, "q25": 276.2140121459961, "median": 287.7333679199219, "q75": 303.1417922973633, "q99": 329.4138299560546}, "fl3_width": {"count": 60, "nan": 0, "min": 38.68049240112305, "max": 84.92430114746094, "mean": 62.159162012736004, "sd": 9.59778112220084, "q01": 41.323786659240724, "q25": 55.06142997741699, "median": 63.196882247924805, "q75": 67.87881660461426, "q99": 81.13331077575681}, "frame": {"count": 60, "nan": 0, "min": 36.0, "max": 1074.0, "mean": 518.3666666666667, "sd": 297.16616937703765, "q01": 58.42, "q25": 254.25, "median": 512.5, "q75": 766.0, "q99": 1058.6599999999999}, "index": {"count": 60, "nan": 0, "min": 1.0, "max": 60.0, "mean": 30.5, "sd": 17.318102282486574, "q01": 1.5899999999999999, "q25": 15.75, "median": 30.5, "q75": 45.25, "q99": 59.41}, "inert_ratio_cvx": {"count": 60, "nan": 0, "min": 1.302765965461731, "max": 2.140077590942383, "mean": 1.7801398793856302, "sd": 0.1687617098990098, "q01": 1.3344706106185913, "q25": 1.6941528022289276, "median": 1.7885977029800415, "q75": 1.886493742465973, "q99": 2.135909206867218}, "inert_ratio_prnc": {"count": 60, "nan": 0, "min": 1.3183923959732056, "max": 2.181790828704834, "mean": 1.8038038909435272, "sd": 0.17022794856497261, "q01": 1.3412363588809968, "q25": 1.7111366391181946, "median": 1.8172762393951416, "q75": 1.9086267948150635, "q99": 2.172764229774475}, "inert_ratio_raw": {"count": 60, "nan": 0, "min": 1.3183681964874268, "max": 2.1817891597747803, "mean": 1.8037758787473044, "sd": 0.17023941513913893, "q01": 1.3412264370918274, "q25": 1.7110698819160461, "median": 1.8172029256820679, "q75": 1.908574640750885, "q99": 2.1727480721473693}, "pos_x": {"count": 60, "nan": 0, "min": 18.58498764038086, "max": 66.12999725341797, "mean": 42.159209632873534, "sd": 14.391407536898559, "q01": 19.324193649291992, "q25": 29.37952423095703, "median": 42.603538513183594, "q75": 55.05604839324951, "q99": 64.3371799468994}, "pos_y": {"count": 60, "nan": 0, "min": 12.248711585998535, "max": 14.816414833068848, "mean": 13.646289714177449, "sd": 0.6179022656443625, "q01": 12.249251747131348, "q25": 13.314929008483887, "median": 13.685368061065674, "q75": 14.050583362579346, "q99": 14.789635219573974}, "size_x": {"count": 60, "nan": 0, "min": 6.119999885559082, "max": 19.3799991607666, "mean": 14.483999999364217, "sd": 2.3954924268237408, "q01": 6.521200065612793, "q25": 13.260000228881836, "median": 14.449999809265137, "q75": 15.979999542236328, "q99": 18.778200016021724}, "size_y": {"count": 60, "nan": 0, "min": 4.760000228881836, "max": 9.859999656677246, "mean": 8.177000053723653, "sd": 0.9004652873915249, "q01": 4.960600037574768, "q25": 7.820000171661377, "median": 8.15999984741211, "q75": 8.84000015258789, "q99": 9.659400129318236}, "temp": {"count": 60, "nan": 0, "min": 23.00617790222168, "max": 23.21616554260254, "mean": 23.13083569208781, "sd": 0.060144064752499324, "q01": 23.01436134338379, "q25": 23.06798505783081, "median": 23.138879776000977, "q75": 23.18396520614624, "q99": 23.213111381530762}, "tilt": {"count": 60, "nan": 0, "min": 0.0, "max": 0.012983511246557038, "mean": 0.0026676138749103097, "sd": 0.0026118202073371023, "q01": 0.0, "q25": 0.0010493383093971265, "median": 0.001955537061671505, "q75": 0.00390046904681137, "q99": 0.012763904220691924}, "time": {"count": 60, "nan": 0, "min": 0.018, "max": 0.537, "mean": 0.2591833333333333, "sd": 0.14858308468851883, "q01": 0.02921, "q25": 0.127125, "median": 0.25625, "q75": 0.383, "q99": 0.52933}, "volume": {"count": 60, "nan": 0, "min": 61.84480754115495, "max": 750.6639630137315, "mean": 477.0070461421193, "sd": 152.03551962535772, "q01": 73.70549853445385, "q25": 389.7976881001877, "median": 489.411600007629, "q75": 566.137403841901, "q99": 749.4785718462919}}','{"cues":[{"level":"info","category":"general","message":{"template":"Compression: All","values":{}},"section":null,"key":null},{"level":"info","category":"general","message":{"template":"Data file format: %(format)s","values":{"format":"hdf5"}},"section":null,"key":null},{"level":"info","category":"general","message":{"template":"Fluorescence: True","values":{}},"section":null,"key":null}],"sane":true,"sanity_errors":[],"stripped_basins":[]}','[]','ebdf786a-ce37-bf57-1e9a-86725e6617bf','[]','{"template":"%(text_0)s %(text_1)s %(text_2)s %(text_3)s %(text_4)s %(text_5)s","values":{"text_0":{"template":"Overview of %(events)s events.","values":{"events":60}},"text_1":{"template":"%(feature)s: median %(median)s%(unit)s, 98 %% of the events between %(low)s and %(high)s%(unit)s.","values":{"feature":{"template":"Area","values":{}},"unit":" µm²","median":"92.05","low":"23.97","high":"129.5"}},"text_2":{"template":"%(feature)s: median %(median)s%(unit)s, 98 %% of the events between %(low)s and %(high)s%(unit)s.","values":{"feature":{"template":"Deformation","values":{}},"unit":"","median":"0.0648","low":"0.02563","high":"0.1013"}},"text_3":{"template":"Image of event %(event)s with its contour, %(size)s.","values":{"event":48,"size":{"template":"%(columns)s × %(rows)s pixels","values":{"columns":250,"rows":80}}}},"text_4":{"template":"Mask of event %(event)s, %(pixels)s pixels.","values":{"event":48,"pixels":919}},"text_5":{"template":"Fluorescence traces of event %(event)s: %(peaks)s.","values":{"event":48,"peaks":{"template":"%(text_0)s, %(text_1)s, %(text_2)s","values":{"text_0":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"1","peak":2805}},"text_1":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"2","peak":589}},"text_2":{"template":"FL-%(channel)s peak %(peak)s","values":{"channel":"3","peak":89}}}}}}}}',1,'2026-12-01T17:28:32.998406','{"logs": {"lengths": {"demo-generator": 6, "shapein-acquisition": 4}, "whole": true, "over": null}, "tables": {"lengths": {"cytoshot_monitor": 60}, "whole": true, "over": null}, "bytes": 3738040}','{"dclab-condense": ["{", "  \"features_ancillary\": [", "    \"bright_bc_avg\",", "    \"bright_bc_sd\",", "    \"bright_perc_10\",", "    \"bright_perc_90\",", "    \"inert_ratio_prnc\",", "    \"tilt\",", "    \"volume\"", "  ],", "  \"features_basin\": [],", "  \"features_original_innate\": [", "    \"area_cvx\",", "    \"area_msd\",", "    \"area_ratio\",", "    \"area_um\",", "    \"aspect\",", "    \"bright_avg\",", "    \"bright_sd\",", "    \"circ\",", "    \"deform\",", "    \"fl1_area\",", "    \"fl1_max\",", "    \"fl1_pos\",", "    \"fl1_width\",", "    \"fl2_area\",", "    \"fl2_max\",", "    \"fl2_pos\",", "    \"fl2_width\",", "    \"fl3_area\",", "    \"fl3_max\",", "    \"fl3_pos\",", "    \"fl3_width\",", "    \"frame\",", "    \"image\",", "    \"image_bg\",", "    \"inert_ratio_cvx\",", "    \"inert_ratio_raw\",", "    \"mask\",", "    \"pos_x\",", "    \"pos_y\",", "    \"size_x\",", "    \"size_y\",", "    \"temp\",", "    \"trace\"", "  ],", "  \"files\": [", "    {", "      \"index\": 1,", "      \"md5-5M\": \"259eced3b2a23078e6a6cee824893053\",", "      \"name\": \"cells.rtdc\"", "    }", "  ],", "  \"libraries\": {", "    \"dclab\": \"0.73.4\",", "    \"h5py\": \"3.16.0\",", "    \"numpy\": \"2.4.6\"", "  },", "  \"python\": {", "    \"build\": \"main, Apr 28 2025 14:11:48\",", "    \"implementation\": \"CPython\",", "    \"version\": \"3.11.2\"", "  },", "  \"system\": {", "    \"info\": \"Linux-6.18.44-fc-v857-x86_64-with-glibc2.36\",", "    \"machine\": \"x86_64\",", "    \"name\": \"Linux\",", "    \"release\": \"6.18.44-fc-v857\",", "    \"version\": \"#1 SMP PREEMPT_DYNAMIC @0\"", "  },", "  \"utc\": {", "    \"date\": \"2026-12-01\",", "    \"time\": \"17:28:33\"", "  }", "}"]}');
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
, crc32 INTEGER) WITHOUT ROWID;
CREATE TABLE upload_part (
    upload_id TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    finished TEXT NOT NULL, crc32 INTEGER,
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
, interruptions INTEGER NOT NULL DEFAULT 0, user_id TEXT NOT NULL DEFAULT '', error_parts TEXT NOT NULL DEFAULT '', stage_parts TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
INSERT INTO "job" VALUES ('0139b0c7-a5fc-4981-83fe-05ccc925f571','run_missing',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008849','2026-12-01T17:28:23.008849','2026-12-01T17:28:23.428955','2026-12-01T17:28:23.452407','2026-12-01T17:28:23.428955',NULL,'24423-87191660','{}','{"queued": 0}','run_missing',0,'','','');
INSERT INTO "job" VALUES ('08170c07-b473-4320-95f7-90afb0383bb0','watch',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008757','2026-12-01T17:28:23.008757','2026-12-01T17:28:23.175361','2026-12-01T17:28:23.304770','2026-12-01T17:28:23.175361',NULL,'24423-87191660','{}','{"certificate": 0, "new_alarm": false, "mailed": 0}','watch',0,'','','');
INSERT INTO "job" VALUES ('18eb731a-77c6-4b92-a7c0-bc9643419552','metadata','f35341aa-7a62-48ca-8249-5160d2b10a71','0827b20d-81b5-48a9-9c55-15ba76002b58','done',50,1,3,1.0,'','','','2026-12-01T17:28:32.741310','2026-12-01T17:28:32.741310','2026-12-01T17:28:32.752781','2026-12-01T17:28:32.998991','2026-12-01T17:28:32.752781',NULL,'24423-87191660','{}','{"events": 60, "features": 33, "peak": 148971520, "cpu": 0.138}','metadata:f35341aa-7a62-48ca-8249-5160d2b10a71',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('250a3507-0677-49d3-99fa-d327852345e4','preview','4e083c1f-a909-4c5f-84c3-84ea793b28b0','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','done',60,1,3,1.0,'','','','2026-12-01T17:28:33.790242','2026-12-01T17:28:33.790242','2026-12-01T17:28:34.939910','2026-12-01T17:28:35.447959','2026-12-01T17:28:34.939910',NULL,'24423-87191660','{}','{"peak": 123027456, "cpu": 0.161}','preview:4e083c1f-a909-4c5f-84c3-84ea793b28b0',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('33000bf3-347d-41fd-9282-d59691bec05e','condense','f35341aa-7a62-48ca-8249-5160d2b10a71','0827b20d-81b5-48a9-9c55-15ba76002b58','done',30,1,3,1.0,'','','','2026-12-01T17:28:32.741356','2026-12-01T17:28:32.741356','2026-12-01T17:28:33.049786','2026-12-01T17:28:33.353991','2026-12-01T17:28:33.049786',NULL,'24423-87191660','{}','{"size": 40192, "computed": ["bright_bc_avg", "bright_bc_sd", "bright_perc_10", "bright_perc_90", "index", "inert_ratio_prnc", "tilt", "time", "volume"], "seconds": 0.228, "peak": 129073152, "cpu": 0.194}','condense:f35341aa-7a62-48ca-8249-5160d2b10a71',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('4d8f1cf7-b8ee-4d49-803d-1d1ab7c660b9','forget_jobs',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008867','2026-12-01T17:28:23.008867','2026-12-01T17:28:23.492975','2026-12-01T17:28:23.496513','2026-12-01T17:28:23.492975',NULL,'24423-87191660','{}','{"removed": 0}','forget_jobs',0,'','','');
INSERT INTO "job" VALUES ('708758f5-2f24-4637-82e3-e8e4a0cb2275','empty_trash',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008899','2026-12-01T17:28:23.008899','2026-12-01T17:28:23.653085','2026-12-01T17:28:23.665641','2026-12-01T17:28:23.653085',NULL,'24423-87191660','{}','{"purged": []}','empty_trash',0,'','','');
INSERT INTO "job" VALUES ('761d2c37-afd5-46ce-8af5-719add40e58d','scrub',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008797','2026-12-01T17:28:23.008797','2026-12-01T17:28:23.267926','2026-12-01T17:28:23.334646','2026-12-01T17:28:23.267926',NULL,'24423-87191660','{}','{"files": 0, "bytes": 0, "bad": [], "archived": 0}','scrub',0,'','','');
INSERT INTO "job" VALUES ('89eeb4be-2a5f-4a88-8efb-66c3007fd697','preview','f35341aa-7a62-48ca-8249-5160d2b10a71','0827b20d-81b5-48a9-9c55-15ba76002b58','done',60,1,3,1.0,'','','','2026-12-01T17:28:32.741388','2026-12-01T17:28:32.741388','2026-12-01T17:28:33.364973','2026-12-01T17:28:33.717937','2026-12-01T17:28:33.364973',NULL,'24423-87191660','{}','{"peak": 122904576, "cpu": 0.153}','preview:f35341aa-7a62-48ca-8249-5160d2b10a71',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('8cce9902-9ad5-41a8-82a2-22d9b96cd5b7','audit',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008883','2026-12-01T17:28:23.008883','2026-12-01T17:28:23.562296','2026-12-01T17:28:23.613571','2026-12-01T17:28:23.562296',NULL,'24423-87191660','{}','{"entries": 10, "anchors": 0, "problems": []}','audit',0,'','','');
INSERT INTO "job" VALUES ('8cf0ed3c-5af9-4fd6-8b96-062c67b5298c','orphans',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008814','2026-12-01T17:28:23.008814','2026-12-01T17:28:23.344403','2026-12-01T17:28:23.363851','2026-12-01T17:28:23.344403',NULL,'24423-87191660','{}','{"orphans": [], "count": 0, "bytes": 0, "missing": []}','orphans',0,'','','');
INSERT INTO "job" VALUES ('ab4ced91-4e68-42a1-ae7e-3151e806820f','condense','4e083c1f-a909-4c5f-84c3-84ea793b28b0','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','done',30,1,3,1.0,'','','','2026-12-01T17:28:33.790190','2026-12-01T17:28:33.790190','2026-12-01T17:28:34.321466','2026-12-01T17:28:34.914382','2026-12-01T17:28:34.321466',NULL,'24423-87191660','{}','{"size": 40192, "computed": ["bright_bc_avg", "bright_bc_sd", "bright_perc_10", "bright_perc_90", "index", "inert_ratio_prnc", "tilt", "time", "volume"], "seconds": 0.531, "peak": 129200128, "cpu": 0.221}','condense:4e083c1f-a909-4c5f-84c3-84ea793b28b0',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('c91288db-7a2d-430a-a29f-20f29d5085e4','metadata','4e083c1f-a909-4c5f-84c3-84ea793b28b0','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','done',50,1,3,1.0,'','','','2026-12-01T17:28:33.790119','2026-12-01T17:28:33.790119','2026-12-01T17:28:33.832741','2026-12-01T17:28:34.314197','2026-12-01T17:28:33.832741',NULL,'24423-87191660','{}','{"events": 60, "features": 33, "peak": 149032960, "cpu": 0.147}','metadata:4e083c1f-a909-4c5f-84c3-84ea793b28b0',0,'ecf260c2-c826-463d-b87e-69a1cc965892','','');
INSERT INTO "job" VALUES ('d56b5e98-69f0-4d83-9b7a-cba893e4b8c0','statistics',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008778','2026-12-01T17:28:23.008778','2026-12-01T17:28:23.144635','2026-12-01T17:28:23.228102','2026-12-01T17:28:23.144635',NULL,'24423-87191660','{}','{"resources": 0}','statistics',0,'','','');
INSERT INTO "job" VALUES ('eb2fd9ba-1535-45d3-911a-d951ae4fa5ea','user_tree',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008829','2026-12-01T17:28:23.008829','2026-12-01T17:28:23.384363','2026-12-01T17:28:23.407917','2026-12-01T17:28:23.384363',NULL,'24423-87191660','{}','{"made": 0, "removed": 0}','user_tree',0,'','','');
INSERT INTO "job" VALUES ('ebb8aaba-7168-41e9-afd9-cdc229cf3c55','notify',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008726','2026-12-01T17:28:23.008726','2026-12-01T17:28:23.072458','2026-12-01T17:28:23.090819','2026-12-01T17:28:23.072458',NULL,'24423-87191660','{}','{"uploads": 0, "mails": 0}','notify',0,'','','');
INSERT INTO "job" VALUES ('ffb05783-a735-402d-a66a-03448f51340d','sweep_uploads',NULL,NULL,'done',10,1,3,1.0,'','','','2026-12-01T17:28:23.008568','2026-12-01T17:28:23.008568','2026-12-01T17:28:23.046273','2026-12-01T17:28:23.131494','2026-12-01T17:28:23.046273',NULL,'24423-87191660','{}','{"removed": 0, "put_aside": 0, "exports": 0}','sweep_uploads',0,'','','');
CREATE TABLE job_dependency (
    job_id TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    needs_id TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE,
    PRIMARY KEY (job_id, needs_id)
) WITHOUT ROWID;
INSERT INTO "job_dependency" VALUES ('33000bf3-347d-41fd-9282-d59691bec05e','18eb731a-77c6-4b92-a7c0-bc9643419552');
INSERT INTO "job_dependency" VALUES ('89eeb4be-2a5f-4a88-8efb-66c3007fd697','18eb731a-77c6-4b92-a7c0-bc9643419552');
INSERT INTO "job_dependency" VALUES ('89eeb4be-2a5f-4a88-8efb-66c3007fd697','33000bf3-347d-41fd-9282-d59691bec05e');
INSERT INTO "job_dependency" VALUES ('250a3507-0677-49d3-99fa-d327852345e4','ab4ced91-4e68-42a1-ae7e-3151e806820f');
INSERT INTO "job_dependency" VALUES ('250a3507-0677-49d3-99fa-d327852345e4','c91288db-7a2d-430a-a29f-20f29d5085e4');
INSERT INTO "job_dependency" VALUES ('ab4ced91-4e68-42a1-ae7e-3151e806820f','c91288db-7a2d-430a-a29f-20f29d5085e4');
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
INSERT INTO "audit" VALUES (1,'2026-12-01T17:28:22.062518','','operator','user.create','user','e2073897-70f3-492d-a320-4d2991117231','{"sysadmin": true}','',X'B8762A5CD6AC185FC22EAEA2586CE11AACF52F02460F5C3A727169CBF461DE1F');
INSERT INTO "audit" VALUES (2,'2026-12-01T17:28:22.108278','','operator','token.create','token','92a9471b-050a-4a77-b387-3dee092f5ae9','{"scope": "admin", "user": "e2073897-70f3-492d-a320-4d2991117231"}','',X'642B16ECBBFB6C1FBFA840AC0959BA838ED5CBFD70D7C3461A5B30C04E7AEE71');
INSERT INTO "audit" VALUES (3,'2026-12-01T17:28:22.493371','','operator','user.create','user','ecf260c2-c826-463d-b87e-69a1cc965892','{"sysadmin": false}','',X'C3B5CE91317E81E83E517C0591E211B85637B4C8B330D361113A44DF58EA8D7D');
INSERT INTO "audit" VALUES (4,'2026-12-01T17:28:22.495182','','operator','token.create','token','f48327d7-2f4b-420a-984b-8a598b0506cb','{"scope": "write", "user": "ecf260c2-c826-463d-b87e-69a1cc965892"}','',X'78B94B09A5C266B58E6C4BC1D3C9914605CBB633020428C9B4F13D11F2C0C33B');
INSERT INTO "audit" VALUES (5,'2026-12-01T17:28:22.496473','','operator','user.create','user','7a57d2b2-b3bf-415e-9540-ef0e42516034','{"sysadmin": false}','',X'21C09D369B22240D79FE9074B9ADDF0CAD5B3B76645CB50FFC04096B85FC6E84');
INSERT INTO "audit" VALUES (6,'2026-12-01T17:28:22.500695','','operator','token.create','token','cd757c14-6188-48a9-80b6-29b8cacd3cd7','{"scope": "write", "user": "7a57d2b2-b3bf-415e-9540-ef0e42516034"}','',X'8A05B96A3058EDDF27852A9E3E43321AD549957DC2FECAF8813AC60DB3309D43');
INSERT INTO "audit" VALUES (7,'2026-12-01T17:28:22.532605','ecf260c2-c826-463d-b87e-69a1cc965892','ada','circle.create','circle','9670b282-0cbc-4122-86d7-7dd999426fdd','{"name": "lab"}','127.0.0.1',X'B0E67370BD526E06A8F8F8B794842A84F442B66DA3D689C17793C302079F60DB');
INSERT INTO "audit" VALUES (8,'2026-12-01T17:28:22.539638','ecf260c2-c826-463d-b87e-69a1cc965892','ada','collection.create','collection','0c830e6c-015d-45d2-93ab-e70bd1ef17e7','{"name": "blood"}','127.0.0.1',X'C844C4A2AE079877DE7FDD35871DBEC3E7FA5F4B48AAED89AC596945486D2EFE');
INSERT INTO "audit" VALUES (9,'2026-12-01T17:28:22.548612','ecf260c2-c826-463d-b87e-69a1cc965892','ada','circle.member','circle','9670b282-0cbc-4122-86d7-7dd999426fdd','{"role": "member", "user": "7a57d2b2-b3bf-415e-9540-ef0e42516034"}','127.0.0.1',X'05FE73DF0A93026FADAAF8DF5252BB32569C80B7F86635D036E677EBFDF1FE8D');
INSERT INTO "audit" VALUES (10,'2026-12-01T17:28:22.566724','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.create','dataset','0827b20d-81b5-48a9-9c55-15ba76002b58','{"circle": "9670b282-0cbc-4122-86d7-7dd999426fdd", "private": false}','127.0.0.1',X'ABCE2976FEBC67A7B1C10F9FF58F2B027E0F0A2F5077EEA5BC309756C161CB65');
INSERT INTO "audit" VALUES (11,'2026-12-01T17:28:32.741412','ecf260c2-c826-463d-b87e-69a1cc965892','ada','resource.create','resource','f35341aa-7a62-48ca-8249-5160d2b10a71','{"dataset": "0827b20d-81b5-48a9-9c55-15ba76002b58", "sha256": "abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d", "size": 812082}','127.0.0.1',X'12755B33F0628BDB3E67A5D3BC90A6466B2950C1E914F40112D46355C5099DC1');
INSERT INTO "audit" VALUES (12,'2026-12-01T17:28:32.769233','ecf260c2-c826-463d-b87e-69a1cc965892','ada','resource.update','resource','f35341aa-7a62-48ca-8249-5160d2b10a71','{"dataset": "0827b20d-81b5-48a9-9c55-15ba76002b58"}','127.0.0.1',X'66AB82AFCC6E5275DD38D4B5F21F842DC1F3EF7392E20BFC9586A616521E498F');
INSERT INTO "audit" VALUES (13,'2026-12-01T17:28:33.730536','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.activate','dataset','0827b20d-81b5-48a9-9c55-15ba76002b58','{"fields": ["state"]}','127.0.0.1',X'6EAFBC87A237EB8A1289C36470A65B176CBE8A43CC9436CE3089F0BB715C757E');
INSERT INTO "audit" VALUES (14,'2026-12-01T17:28:33.741746','ecf260c2-c826-463d-b87e-69a1cc965892','ada','collection.add','collection','0c830e6c-015d-45d2-93ab-e70bd1ef17e7','{"dataset": "0827b20d-81b5-48a9-9c55-15ba76002b58"}','127.0.0.1',X'8D3F9A7C6CF2A6A49C43C196EDD22CF683AF4710572136982D0D28E5EF8C99E1');
INSERT INTO "audit" VALUES (15,'2026-12-01T17:28:33.751098','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.create','dataset','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','{"circle": "9670b282-0cbc-4122-86d7-7dd999426fdd", "private": true}','127.0.0.1',X'F171EE835946D011CED3591AED3EC8CBF742B41B1691FEB0DE58D36863096B84');
INSERT INTO "audit" VALUES (16,'2026-12-01T17:28:33.790283','ecf260c2-c826-463d-b87e-69a1cc965892','ada','resource.create','resource','4e083c1f-a909-4c5f-84c3-84ea793b28b0','{"dataset": "b8ba6f14-fe4f-4d00-8432-362c3a06aaad", "sha256": "abb1669cdf2cfd3fbcbd10f0f5d7a06fd473488e482952e9e914a17e89fc193d", "size": 812082}','127.0.0.1',X'5A80A4FB2FFC6760192DE57B477A03D8CD0F78A32D39FFEBFC2E381C441DDABA');
INSERT INTO "audit" VALUES (17,'2026-12-01T17:28:35.477482','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.activate','dataset','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','{"fields": ["state"]}','127.0.0.1',X'325A6AE482FCAF3790EAC7E45CFA72BC663A9B657BCF07DD52521D4B10C8F679');
INSERT INTO "audit" VALUES (18,'2026-12-01T17:28:35.501317','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.share','dataset','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','{"capacity": "member", "user": "7a57d2b2-b3bf-415e-9540-ef0e42516034"}','127.0.0.1',X'5394440AD6A23917CC1072F1B05191F5680FE9934997AF068B77E5D971A6DE63');
INSERT INTO "audit" VALUES (19,'2026-12-01T17:28:35.564640','ecf260c2-c826-463d-b87e-69a1cc965892','ada','gates.save','dataset','0827b20d-81b5-48a9-9c55-15ba76002b58','{"shared": true}','127.0.0.1',X'6984E3B32F9EF77237FC25215BE2852FDB10CC68F0E478CB77AD24BDEEB9AB45');
INSERT INTO "audit" VALUES (20,'2026-12-01T17:28:35.577217','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.create','dataset','0a72cc17-b6c7-4ee4-a747-bf8b551eb4ef','{"circle": "9670b282-0cbc-4122-86d7-7dd999426fdd", "private": false}','127.0.0.1',X'B5024E79CAA93708394FBEDA787D3CFB2C25B57DDA2F5EFE126F518F8CE4AC97');
INSERT INTO "audit" VALUES (21,'2026-12-01T17:28:35.596700','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.create','dataset','f2566c22-3d57-4395-ba33-9d246e941e75','{"circle": "9670b282-0cbc-4122-86d7-7dd999426fdd", "private": false}','127.0.0.1',X'2C6543B5B25ECCAC327153673AD9F9A96E801EA1E30818725AC2BE925987B14A');
INSERT INTO "audit" VALUES (22,'2026-12-01T17:28:35.629692','ecf260c2-c826-463d-b87e-69a1cc965892','ada','dataset.delete','dataset','f2566c22-3d57-4395-ba33-9d246e941e75','{}','127.0.0.1',X'8644B7C11EB666840C0630C93AF1B427F224F3645ABB019D9B42F03A8AF60914');
INSERT INTO "audit" VALUES (23,'2026-12-01T17:28:35.665215','ecf260c2-c826-463d-b87e-69a1cc965892','ada','token.create','token','7c4cdc01-8378-49c1-a39c-8355425fb7f6','{"scope": "write", "user": "ecf260c2-c826-463d-b87e-69a1cc965892"}','127.0.0.1',X'8BE08009DE5AB61693DB45202ED46FD6201C1AF4DA8A42218D7AB1140C9FD04D');
INSERT INTO "audit" VALUES (24,'2026-12-01T17:28:35.675454','','operator','token.create','token','76f4b464-54b4-4cec-a154-ebdb4b5a4779','{"scope": "read", "user": "7a57d2b2-b3bf-415e-9540-ef0e42516034"}','',X'4CEC069066FC154B7F83C168A9DCBEDA300DFE38FF59B7CFD43C3A5BCDA78062');
INSERT INTO "audit" VALUES (25,'2026-12-01T17:28:36.011699','ecf260c2-c826-463d-b87e-69a1cc965892','ada','session.start','user','ecf260c2-c826-463d-b87e-69a1cc965892','{}','',X'E35F702035F8F2EC0A02A7759B42A20853FE136FBA3C4279EB4EA09EC41CC92F');
INSERT INTO "audit" VALUES (26,'2026-12-01T17:28:36.062821','','operator','certificate.create','certificate','localhost','{"fingerprint": "E6:CD:C5:F6:E7:70:93:EB:1D:BE:25:D4:13:DA:C6:6C:C5:20:FA:4C:B5:35:E6:EC:10:D0:7D:78:37:AD:B2:6F"}','',X'57A0FF389F5C7FE851BF846D49A964F100AC75B2F54C49D7C31DA3E5C3CED3A3');
CREATE TABLE incident (id TEXT PRIMARY KEY, at TEXT NOT NULL, place TEXT NOT NULL, trace TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alarm (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL,
    resolved TEXT
, mailed TEXT, message_parts TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
INSERT INTO "alarm" VALUES ('b27ad85e-af7f-43db-b16c-709c2483d780','2026-12-01T17:28:36.107466','certificate','30 days','The certificate expires on 2026-12-21, in 19 days.',NULL,NULL,'');
CREATE TABLE search_state (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT NOT NULL, version INTEGER NOT NULL);
INSERT INTO "search_state" VALUES (1,'6e1efdf271e706e3',15);
CREATE TABLE 'search_text_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "search_text_data" VALUES (1,X'040F0B0104100206012F');
INSERT INTO "search_text_data" VALUES (10,X'00000000010A0A000A0101010201010301010401010501010601010701010801010901010A0101');
INSERT INTO "search_text_data" VALUES (137438953473,X'000000BC02306101060105020202646101060104020104626561640106010202010463656C6C01080401010402056F6D6D6F6E01060108050206726561746976010601080401056465646963010601080802056F6D61696E0106010807010567726F73730108020101020608656F6663656C6C7301020501016C01060104030202616201080108020301036D6178010601040401046E6F7465010601050301026F660108030101030101700106010405020575626C696301060108060408090B0C0C0D0C0C0D0D080A0A0B0A08');
INSERT INTO "search_text_data" VALUES (274877906945,X'000000D602306101070105020202646101070104020104626561640107010202010463656C6C010F0401010401060205057372746463010601060402056F6D6D6F6E01070108050206726561746976010701080401056465646963010701080802056F6D61696E0107010807010567726F73730109020101020608656F6663656C6C7301030501016C01070104030202616201090108020301036D6178010701040401046E6F7465010701050301026F660109030101030101700107010405020575626C6963010701080601047274646301060106030408090B0F0C0C0D0C0C0D0D080A0A0B0A080C');
INSERT INTO "search_text_data" VALUES (412316860417,X'000000EE02306101070105020202646101070104020104626561640107010202010463656C6C010F0401010401060205057372746463010701060402056F6D6D6F6E01070108050206726561746976010701080401056465646963010701080802056F6D61696E0107010807010566697273740106010702010567726F73730109020101020608656F6663656C6C73010305010568756D616E010601080901016C01070104030202616201090108020301036D6178010701040401046E6F7465010701050301026F660109030101030101700107010405020575626C6963010701080601047274646301070106030408090B0F0C0C0D0C0C0C0D0D0C080A0A0B0A080C');
INSERT INTO "search_text_data" VALUES (549755813889,X'0000013F03303030010601080F03043030303101060108100101610107010502020163010601080C0202646101070104020104626561640107010202010163010601080D0203656C6C01150401010401060201080A05057372746463010701060402056F6D6D6F6E01070108050206726561746976010701080401056465646963010701080803026D6F01080108090702056F6D61696E0107010807010566697273740107010702010567726F73730109020101020608656F6663656C6C73010305010568756D616E010701081101016C01070104030202616201090108020301036D6178010701040401046E6F7465010701050301026F660109030101030101700107010405020575626C69630107010806010472746463010701060301047A6D6464010601080B050F61636364656D6F3030303030303031010601081204090B0808090B08110C0C0D0C0A0C0C0D0D0C080A0A0B0A080C0B0B');
INSERT INTO "search_text_data" VALUES (687194767361,X'0000015703303030010701080F03043030303101070108100101610107010502020163010701080C02026461010701040202026C6C0106010305010462656164010701020202046C6F6F64010801030203010163010701080D0203656C6C01150401010401060201080A05057372746463010701060402056F6D6D6F6E01070108050206726561746976010701080401056465646963010701080803026D6F01090108090702056F6D61696E0107010807010566697273740107010702010567726F73730109020101020608656F6663656C6C73010305010568756D616E010701081101016C01070104030202616201090108020301036D6178010701040401046E6F7465010701050301026F66010F030101030103040101700107010405020575626C69630107010806010472746463010701060301047A6D6464010701080B050F61636364656D6F3030303030303031010701081204090B080809090B0C08110C0C0D0C0A0C0C0D0D0C080A0A0B0D080C0B0B');
INSERT INTO "search_text_data" VALUES (824633720833,X'000000AE043061646102060104020106636F6D6D6F6E02060108050206726561746976020601080401056465646963020601080802056F6D61696E020601080701016C02060104030202616202080108020301036D6178020601040401026F6602080301010301017002060104050206617469656E74020802010102080A736F6674686577617264020206020575626C696302060108060103746865020804010104010477617264020805010105040A0D0D0C0C080A0A0A080E0F0C0B');
INSERT INTO "search_text_data" VALUES (962072674305,X'000000C7043061646102070104020106636F6D6D6F6E02070108050206726561746976020701080401056465646963020701080802056F6D61696E020701080701016C02070104030202616202090108020301036D6178020701040401026F6602090301010301017002070104050206617469656E74020F020101020106020804727464630206010604080A736F6674686577617264020306020575626C6963020701080601047274646302060106030103746865020904010104010477617264020905010105040A0D0D0C0C080A0A0A08110B0F0C0B0B');
INSERT INTO "search_text_data" VALUES (1099511627777,X'0000011F03303030020601080F030430303031020601081001026163020601080C020264610207010402010163020601080D0203656C6C020601080A02056F6D6D6F6E02070108050206726561746976020701080401056465646963020701080803026D6F02080108090702056F6D61696E020701080701016C02070104030202616202090108020301036D6178020701040401026F6602090301010301017002070104050206617469656E74020F020101020106020804727464630207010604080A736F6674686577617264020306020575626C696302070108060104727464630207010603010374686502090401010401047761726402090501010501047A6D6464020601080B050F61636364656D6F3030303030303031020601081104090B0909080A0C0D0C0A0C080A0A0A08110B0F0C0B0B0C0B');
INSERT INTO "search_text_data" VALUES (1236950581249,X'00000092043061646103060104020106636F6D6D6F6E03060108050206726561746976030601080401056465646963030601080802056F6D61696E030601080701016C03060104030202616203080108020301036D6178030601040401036E6F74030802010102040572656164790302040101700306010405020575626C6963030601080601057265616469030803010103040A0D0D0C0C080A0A0B0A080C');
INSERT INTO "search_text_data" VALUES (1374389534721,X'000000920430616461040601040202037761790408030101030106636F6D6D6F6E04060108050206726561746976040601080401056465646963040601080802056F6D61696E040601080701016C04060104030202616204080108020301036D617804060104040101700406010405020575626C6963040601080601067468726F776E040802010102070461776179040204040A0B0D0D0C0C080A0A080C0E');
CREATE TABLE 'search_text_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO "search_text_idx" VALUES (1,X'',2);
INSERT INTO "search_text_idx" VALUES (2,X'',2);
INSERT INTO "search_text_idx" VALUES (3,X'',2);
INSERT INTO "search_text_idx" VALUES (4,X'',2);
INSERT INTO "search_text_idx" VALUES (5,X'',2);
INSERT INTO "search_text_idx" VALUES (6,X'',2);
INSERT INTO "search_text_idx" VALUES (7,X'',2);
INSERT INTO "search_text_idx" VALUES (8,X'',2);
INSERT INTO "search_text_idx" VALUES (9,X'',2);
INSERT INTO "search_text_idx" VALUES (10,X'',2);
CREATE TABLE 'search_text_content'(id INTEGER PRIMARY KEY, c0, c1, c2, c3, c4, c5, c6, c7, c8);
INSERT INTO "search_text_content" VALUES (1,'gross of cell grosseofcells','gross of cell','bead','blood blood of all','ada l max p','a note','cell rtdc cellsrtdc','first','lab lab creativ common public domain dedic demo cell zmdd ac c demo 00 000001 human zmddaccdemo00000001');
INSERT INTO "search_text_content" VALUES (2,'patient of the ward patientsoftheward','patient of the ward','','','ada l max p','','patient rtdc patientrtdc','','lab lab creativ common public domain dedic demo cell zmdd ac c demo 00 000001 zmddaccdemo00000001');
INSERT INTO "search_text_content" VALUES (3,'not readi notready','not readi','','','ada l max p','','','','lab lab creativ common public domain dedic');
INSERT INTO "search_text_content" VALUES (4,'thrown away thrownaway','thrown away','','','ada l max p','','','','lab lab creativ common public domain dedic');
CREATE TABLE 'search_text_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
INSERT INTO "search_text_docsize" VALUES (1,X'040301040402030111');
INSERT INTO "search_text_docsize" VALUES (2,X'050400000400030010');
INSERT INTO "search_text_docsize" VALUES (3,X'030200000400000007');
INSERT INTO "search_text_docsize" VALUES (4,X'030200000400000007');
CREATE TABLE 'search_text_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "search_text_config" VALUES ('version',4);
CREATE TABLE search_field (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO "search_field" VALUES (1,'tags');
INSERT INTO "search_field" VALUES (2,'organization');
INSERT INTO "search_field" VALUES (3,'license_id');
INSERT INTO "search_field" VALUES (4,'year');
INSERT INTO "search_field" VALUES (5,'res_format');
INSERT INTO "search_field" VALUES (6,'sp:cells:organism');
INSERT INTO "search_field" VALUES (7,'dc:setup:flow rate sample');
INSERT INTO "search_field" VALUES (8,'dc:fluorescence:laser 3 power');
INSERT INTO "search_field" VALUES (9,'dc:setup:channel width');
INSERT INTO "search_field" VALUES (10,'dc:setup:flow rate');
INSERT INTO "search_field" VALUES (11,'dc:experiment:run index');
INSERT INTO "search_field" VALUES (12,'dc:setup:module composition');
INSERT INTO "search_field" VALUES (13,'dc:fluorescence:laser 1 lambda');
INSERT INTO "search_field" VALUES (14,'dc:fluorescence:signal max');
INSERT INTO "search_field" VALUES (15,'dc:imaging:roi position x');
INSERT INTO "search_field" VALUES (16,'dc:fluorescence:bit depth');
INSERT INTO "search_field" VALUES (17,'dc:fluorescence:channels installed');
INSERT INTO "search_field" VALUES (18,'dc:setup:chip identifier');
INSERT INTO "search_field" VALUES (19,'dc:imaging:pixel size');
INSERT INTO "search_field" VALUES (20,'dc:experiment:sample');
INSERT INTO "search_field" VALUES (21,'dc:online_contour:bin kernel');
INSERT INTO "search_field" VALUES (22,'dc:imaging:roi position y');
INSERT INTO "search_field" VALUES (23,'dc:online_contour:no absdiff');
INSERT INTO "search_field" VALUES (24,'dc:fluorescence:laser 1 power');
INSERT INTO "search_field" VALUES (25,'dc:setup:medium');
INSERT INTO "search_field" VALUES (26,'dc:imaging:roi size y');
INSERT INTO "search_field" VALUES (27,'dc:fluorescence:sample rate');
INSERT INTO "search_field" VALUES (28,'dc:online_contour:image blur');
INSERT INTO "search_field" VALUES (29,'dc:setup:flow rate sheath');
INSERT INTO "search_field" VALUES (30,'dc:setup:software version');
INSERT INTO "search_field" VALUES (31,'dc:online_contour:bin area min');
INSERT INTO "search_field" VALUES (32,'dc:fluorescence:channel 2 name');
INSERT INTO "search_field" VALUES (33,'dc:imaging:flash device');
INSERT INTO "search_field" VALUES (34,'dc:fluorescence:laser count');
INSERT INTO "search_field" VALUES (35,'dc:imaging:frame rate');
INSERT INTO "search_field" VALUES (36,'dc:experiment:date');
INSERT INTO "search_field" VALUES (37,'dc:setup:chip region');
INSERT INTO "search_field" VALUES (38,'dc:fluorescence:channel count');
INSERT INTO "search_field" VALUES (39,'dc:imaging:flash duration');
INSERT INTO "search_field" VALUES (40,'dc:fluorescence:laser 3 lambda');
INSERT INTO "search_field" VALUES (41,'dc:fluorescence:channel 1 name');
INSERT INTO "search_field" VALUES (42,'dc:fluorescence:channel 3 name');
INSERT INTO "search_field" VALUES (43,'dc:fluorescence:trace median');
INSERT INTO "search_field" VALUES (44,'dc:setup:identifier');
INSERT INTO "search_field" VALUES (45,'verdict');
INSERT INTO "search_field" VALUES (46,'dc:fluorescence:signal min');
INSERT INTO "search_field" VALUES (47,'dc:imaging:roi size x');
INSERT INTO "search_field" VALUES (48,'dc:experiment:event count');
INSERT INTO "search_field" VALUES (49,'dc:fluorescence:samples per event');
INSERT INTO "search_field" VALUES (50,'dc:experiment:time');
INSERT INTO "search_field" VALUES (51,'dc:online_contour:bin threshold');
INSERT INTO "search_field" VALUES (52,'dc:setup:temperature');
INSERT INTO "search_field" VALUES (53,'dc:fluorescence:lasers installed');
INSERT INTO "search_field" VALUES (54,'groups');
CREATE TABLE search_value (
         id INTEGER PRIMARY KEY,
         field_id INTEGER NOT NULL,
         text TEXT NOT NULL,
         number REAL,
         words TEXT,                     -- ' folded words ' of a text
         UNIQUE (field_id, text));
INSERT INTO "search_value" VALUES (1,2,'9670b282-0cbc-4122-86d7-7dd999426fdd',NULL,NULL);
INSERT INTO "search_value" VALUES (2,3,'CC0-1.0',NULL,NULL);
INSERT INTO "search_value" VALUES (3,4,'2026',NULL,NULL);
INSERT INTO "search_value" VALUES (4,1,'beads',NULL,NULL);
INSERT INTO "search_value" VALUES (5,5,'RT-DC',NULL,NULL);
INSERT INTO "search_value" VALUES (6,6,'human',NULL,' human ');
INSERT INTO "search_value" VALUES (7,5,'RT-FDC',NULL,NULL);
INSERT INTO "search_value" VALUES (8,45,'look',NULL,NULL);
INSERT INTO "search_value" VALUES (9,36,'2024-05-17',NULL,' 2024 05 17 20240517 ');
INSERT INTO "search_value" VALUES (10,48,'60',60.0,NULL);
INSERT INTO "search_value" VALUES (11,11,'1',1.0,NULL);
INSERT INTO "search_value" VALUES (12,20,'Demo cells',NULL,' demo cell ');
INSERT INTO "search_value" VALUES (13,50,'10:04:03',NULL,' 10 04 03 100403 ');
INSERT INTO "search_value" VALUES (14,16,'16',16.0,NULL);
INSERT INTO "search_value" VALUES (15,41,'525/50',NULL,' 525 50 52550 ');
INSERT INTO "search_value" VALUES (16,32,'593/46',NULL,' 593 46 59346 ');
INSERT INTO "search_value" VALUES (17,42,'700/75',NULL,' 700 75 70075 ');
INSERT INTO "search_value" VALUES (18,38,'3',3.0,NULL);
INSERT INTO "search_value" VALUES (19,17,'3',3.0,NULL);
INSERT INTO "search_value" VALUES (20,13,'488',488.0,NULL);
INSERT INTO "search_value" VALUES (21,24,'8',8.0,NULL);
INSERT INTO "search_value" VALUES (22,40,'640',640.0,NULL);
INSERT INTO "search_value" VALUES (23,8,'40',40.0,NULL);
INSERT INTO "search_value" VALUES (24,34,'2',2.0,NULL);
INSERT INTO "search_value" VALUES (25,53,'3',3.0,NULL);
INSERT INTO "search_value" VALUES (26,27,'312500',312500.0,NULL);
INSERT INTO "search_value" VALUES (27,49,'177',177.0,NULL);
INSERT INTO "search_value" VALUES (28,14,'1',1.0,NULL);
INSERT INTO "search_value" VALUES (29,46,'-1',-1.0,NULL);
INSERT INTO "search_value" VALUES (30,43,'21',21.0,NULL);
INSERT INTO "search_value" VALUES (31,33,'LED (ZMD L1)',NULL,' led zmd l 1 l1 ');
INSERT INTO "search_value" VALUES (32,39,'2',2.0,NULL);
INSERT INTO "search_value" VALUES (33,35,'2000',2000.0,NULL);
INSERT INTO "search_value" VALUES (34,19,'0.34',0.34,NULL);
INSERT INTO "search_value" VALUES (35,15,'629',629.0,NULL);
INSERT INTO "search_value" VALUES (36,22,'512',512.0,NULL);
INSERT INTO "search_value" VALUES (37,47,'250',250.0,NULL);
INSERT INTO "search_value" VALUES (38,26,'80',80.0,NULL);
INSERT INTO "search_value" VALUES (39,31,'10',10.0,NULL);
INSERT INTO "search_value" VALUES (40,21,'5',5.0,NULL);
INSERT INTO "search_value" VALUES (41,51,'-6',-6.0,NULL);
INSERT INTO "search_value" VALUES (42,28,'0',0.0,NULL);
INSERT INTO "search_value" VALUES (43,23,'true',1.0,' tru ');
INSERT INTO "search_value" VALUES (44,9,'20',20.0,NULL);
INSERT INTO "search_value" VALUES (45,18,'demo-chip-1',NULL,' demo chip 1 demochip1 ');
INSERT INTO "search_value" VALUES (46,37,'channel',NULL,' channel ');
INSERT INTO "search_value" VALUES (47,10,'0.06',0.06,NULL);
INSERT INTO "search_value" VALUES (48,7,'0.015',0.015,NULL);
INSERT INTO "search_value" VALUES (49,29,'0.045',0.045,NULL);
INSERT INTO "search_value" VALUES (50,44,'ZMDD-AcC-demo00-000001',NULL,' zmdd ac c demo 00 000001 zmddaccdemo00000001 ');
INSERT INTO "search_value" VALUES (51,25,'CellCarrierB',NULL,' cell carri b cellcarrierb ');
INSERT INTO "search_value" VALUES (52,12,'AcCellerator,FluorescenceModule',NULL,' ac cellerator fluorescenc modul accelleratorfluorescencemodule ');
INSERT INTO "search_value" VALUES (53,30,'ShapeIn 2.3.0 | dclab 0.73.4',NULL,' shap in 2 3 0 dclab 0 73 4 shapein 230 0734 ');
INSERT INTO "search_value" VALUES (54,52,'23',23.0,NULL);
INSERT INTO "search_value" VALUES (55,54,'0c830e6c-015d-45d2-93ab-e70bd1ef17e7',NULL,NULL);
CREATE TABLE search_posting (value_id INTEGER NOT NULL, pk INTEGER NOT NULL, PRIMARY KEY (value_id, pk)) WITHOUT ROWID;
INSERT INTO "search_posting" VALUES (1,1);
INSERT INTO "search_posting" VALUES (1,2);
INSERT INTO "search_posting" VALUES (1,3);
INSERT INTO "search_posting" VALUES (1,4);
INSERT INTO "search_posting" VALUES (2,1);
INSERT INTO "search_posting" VALUES (2,2);
INSERT INTO "search_posting" VALUES (2,3);
INSERT INTO "search_posting" VALUES (2,4);
INSERT INTO "search_posting" VALUES (3,1);
INSERT INTO "search_posting" VALUES (3,2);
INSERT INTO "search_posting" VALUES (3,3);
INSERT INTO "search_posting" VALUES (3,4);
INSERT INTO "search_posting" VALUES (4,1);
INSERT INTO "search_posting" VALUES (6,1);
INSERT INTO "search_posting" VALUES (7,1);
INSERT INTO "search_posting" VALUES (7,2);
INSERT INTO "search_posting" VALUES (8,1);
INSERT INTO "search_posting" VALUES (8,2);
INSERT INTO "search_posting" VALUES (9,1);
INSERT INTO "search_posting" VALUES (9,2);
INSERT INTO "search_posting" VALUES (10,1);
INSERT INTO "search_posting" VALUES (10,2);
INSERT INTO "search_posting" VALUES (11,1);
INSERT INTO "search_posting" VALUES (11,2);
INSERT INTO "search_posting" VALUES (12,1);
INSERT INTO "search_posting" VALUES (12,2);
INSERT INTO "search_posting" VALUES (13,1);
INSERT INTO "search_posting" VALUES (13,2);
INSERT INTO "search_posting" VALUES (14,1);
INSERT INTO "search_posting" VALUES (14,2);
INSERT INTO "search_posting" VALUES (15,1);
INSERT INTO "search_posting" VALUES (15,2);
INSERT INTO "search_posting" VALUES (16,1);
INSERT INTO "search_posting" VALUES (16,2);
INSERT INTO "search_posting" VALUES (17,1);
INSERT INTO "search_posting" VALUES (17,2);
INSERT INTO "search_posting" VALUES (18,1);
INSERT INTO "search_posting" VALUES (18,2);
INSERT INTO "search_posting" VALUES (19,1);
INSERT INTO "search_posting" VALUES (19,2);
INSERT INTO "search_posting" VALUES (20,1);
INSERT INTO "search_posting" VALUES (20,2);
INSERT INTO "search_posting" VALUES (21,1);
INSERT INTO "search_posting" VALUES (21,2);
INSERT INTO "search_posting" VALUES (22,1);
INSERT INTO "search_posting" VALUES (22,2);
INSERT INTO "search_posting" VALUES (23,1);
INSERT INTO "search_posting" VALUES (23,2);
INSERT INTO "search_posting" VALUES (24,1);
INSERT INTO "search_posting" VALUES (24,2);
INSERT INTO "search_posting" VALUES (25,1);
INSERT INTO "search_posting" VALUES (25,2);
INSERT INTO "search_posting" VALUES (26,1);
INSERT INTO "search_posting" VALUES (26,2);
INSERT INTO "search_posting" VALUES (27,1);
INSERT INTO "search_posting" VALUES (27,2);
INSERT INTO "search_posting" VALUES (28,1);
INSERT INTO "search_posting" VALUES (28,2);
INSERT INTO "search_posting" VALUES (29,1);
INSERT INTO "search_posting" VALUES (29,2);
INSERT INTO "search_posting" VALUES (30,1);
INSERT INTO "search_posting" VALUES (30,2);
INSERT INTO "search_posting" VALUES (31,1);
INSERT INTO "search_posting" VALUES (31,2);
INSERT INTO "search_posting" VALUES (32,1);
INSERT INTO "search_posting" VALUES (32,2);
INSERT INTO "search_posting" VALUES (33,1);
INSERT INTO "search_posting" VALUES (33,2);
INSERT INTO "search_posting" VALUES (34,1);
INSERT INTO "search_posting" VALUES (34,2);
INSERT INTO "search_posting" VALUES (35,1);
INSERT INTO "search_posting" VALUES (35,2);
INSERT INTO "search_posting" VALUES (36,1);
INSERT INTO "search_posting" VALUES (36,2);
INSERT INTO "search_posting" VALUES (37,1);
INSERT INTO "search_posting" VALUES (37,2);
INSERT INTO "search_posting" VALUES (38,1);
INSERT INTO "search_posting" VALUES (38,2);
INSERT INTO "search_posting" VALUES (39,1);
INSERT INTO "search_posting" VALUES (39,2);
INSERT INTO "search_posting" VALUES (40,1);
INSERT INTO "search_posting" VALUES (40,2);
INSERT INTO "search_posting" VALUES (41,1);
INSERT INTO "search_posting" VALUES (41,2);
INSERT INTO "search_posting" VALUES (42,1);
INSERT INTO "search_posting" VALUES (42,2);
INSERT INTO "search_posting" VALUES (43,1);
INSERT INTO "search_posting" VALUES (43,2);
INSERT INTO "search_posting" VALUES (44,1);
INSERT INTO "search_posting" VALUES (44,2);
INSERT INTO "search_posting" VALUES (45,1);
INSERT INTO "search_posting" VALUES (45,2);
INSERT INTO "search_posting" VALUES (46,1);
INSERT INTO "search_posting" VALUES (46,2);
INSERT INTO "search_posting" VALUES (47,1);
INSERT INTO "search_posting" VALUES (47,2);
INSERT INTO "search_posting" VALUES (48,1);
INSERT INTO "search_posting" VALUES (48,2);
INSERT INTO "search_posting" VALUES (49,1);
INSERT INTO "search_posting" VALUES (49,2);
INSERT INTO "search_posting" VALUES (50,1);
INSERT INTO "search_posting" VALUES (50,2);
INSERT INTO "search_posting" VALUES (51,1);
INSERT INTO "search_posting" VALUES (51,2);
INSERT INTO "search_posting" VALUES (52,1);
INSERT INTO "search_posting" VALUES (52,2);
INSERT INTO "search_posting" VALUES (53,1);
INSERT INTO "search_posting" VALUES (53,2);
INSERT INTO "search_posting" VALUES (54,1);
INSERT INTO "search_posting" VALUES (54,2);
INSERT INTO "search_posting" VALUES (55,1);
CREATE TABLE search_dataset (
         pk INTEGER PRIMARY KEY,
         title_key TEXT NOT NULL,        -- folded title, to sort by
         num_tags INTEGER NOT NULL,
         num_events INTEGER NOT NULL,    -- of all its measurements
         size INTEGER NOT NULL,          -- of all its files [bytes]
         facet_ids TEXT NOT NULL,        -- JSON list of search_value.id
         measure_ids TEXT NOT NULL,
         digest BLOB NOT NULL);
INSERT INTO "search_dataset" VALUES (1,'grosse of cells',1,60,812082,'[1,2,3,4,7,8,55]','[6,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54]',X'4F22E26EB8E567B0B25120E8244D642C');
INSERT INTO "search_dataset" VALUES (2,'patients of the ward',0,60,812082,'[1,2,3,7,8]','[9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54]',X'5A65A21C7216F71ACE09D56D0E87B244');
INSERT INTO "search_dataset" VALUES (3,'not ready',0,0,0,'[1,2,3]','[]',X'B063D8B6980B7E86118C90C00DF4F860');
INSERT INTO "search_dataset" VALUES (4,'thrown away',0,0,0,'[1,2,3]','[]',X'159F9E95C15950653DAF7FEBFD34D0CA');
CREATE TABLE file_check (
               resource_id TEXT NOT NULL,
               kind TEXT NOT NULL,
               checked TEXT NOT NULL,
               PRIMARY KEY (resource_id, kind)
           ) WITHOUT ROWID;
CREATE TABLE "audit_chain" (
   "name" TEXT PRIMARY KEY NOT NULL,
   "entries" INTEGER NOT NULL,
   "link" BLOB NOT NULL,
   "code" BLOB NOT NULL
);
INSERT INTO "audit_chain" VALUES ('switch',0,X'',X'5D53EE6E1A4889605CA91F30886D6639429C0C7D500CC15584E96EFB59C14D1D');
INSERT INTO "audit_chain" VALUES ('head',26,X'57A0FF389F5C7FE851BF846D49A964F100AC75B2F54C49D7C31DA3E5C3CED3A3',X'14A8405C9F62203620C50CBEA0E3328A30A13F32A8D8FF68C29ED48CEACE7FDA');
CREATE TABLE deleted_relation (
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             relation TEXT NOT NULL CHECK (relation IN ('collection_dataset', 'collaborator', 'follower')),
             other_id TEXT NOT NULL,
             entry TEXT NOT NULL, -- the row as JSON
             PRIMARY KEY (dataset_id, relation, other_id)
           ) WITHOUT ROWID;
CREATE TABLE community_follower (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             community_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
             since TEXT NOT NULL,
             PRIMARY KEY (user_id, community_id)
           ) WITHOUT ROWID;
CREATE TABLE user_follower (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             followed_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             since TEXT NOT NULL,
             PRIMARY KEY (user_id, followed_id)
           ) WITHOUT ROWID;
CREATE TABLE access_request (
             id TEXT PRIMARY KEY,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             message TEXT NOT NULL,
             created TEXT NOT NULL,
             state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'granted', 'declined')),
             decided TEXT,
             decided_by TEXT
           ) WITHOUT ROWID;
CREATE TABLE notification (
             id INTEGER PRIMARY KEY,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             kind TEXT NOT NULL,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             actor_id TEXT,
             number INTEGER NOT NULL DEFAULT 1, -- of events of this kind since the reader looked
             at TEXT NOT NULL,
             seen TEXT,
             mailed TEXT
           );
INSERT INTO "notification" VALUES (1,'7a57d2b2-b3bf-415e-9540-ef0e42516034','shared','b8ba6f14-fe4f-4d00-8432-362c3a06aaad','ecf260c2-c826-463d-b87e-69a1cc965892',1,'2026-12-01T17:28:35.501508',NULL,NULL);
CREATE TABLE notification_choice (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             kind TEXT NOT NULL,
             page INTEGER NOT NULL DEFAULT 1,
             mail TEXT NOT NULL DEFAULT 'off' CHECK (mail IN ('off', 'soon', 'daily')),
             language TEXT NOT NULL DEFAULT 'en',
             PRIMARY KEY (user_id, kind)
           ) WITHOUT ROWID;
CREATE TABLE verdict (
             resource_id TEXT PRIMARY KEY REFERENCES resource(id) ON DELETE CASCADE,
             grade TEXT NOT NULL CHECK (grade IN ('good', 'look', 'bad')),
             measures TEXT NOT NULL -- JSON; last, because it is long
           );
INSERT INTO "verdict" VALUES ('f35341aa-7a62-48ca-8249-5160d2b10a71','look','{"events":60,"unread":[],"rate":{"duration":0.519,"mean":115.60693641618496,"parts":[144.50867052023122,125.24084778420038,105.97302504816955,105.97302504816955,96.33911368015414],"noise":149.24791314864805,"pause":0.019500000000000017,"pause_at":0.2845,"pause_ratio":0.44016389975683173,"burst":3.0,"burst_at":0.2595,"burst_sigma":2.0,"series":[115.6,0.0,231.2,231.2,231.2,115.6,115.6,115.6,0.0,231.2,115.6,231.2,115.6,115.6,0.0,115.6,115.6,115.6,231.2,115.6,0.0,231.2,115.6,231.2,0.0,0.0,231.2,0.0,231.2,0.0,346.8,0.0,115.6,0.0,0.0,346.8,231.2,0.0,115.6,115.6,115.6,115.6,0.0,231.2,115.6,0.0,115.6,115.6,115.6,0.0,346.8,0.0,115.6,0.0,115.6,115.6,0.0,115.6,115.6,115.6]},"brightness":{"feature":"bright_avg","median":106.55210876464844,"drift":null,"first":null,"last":null,"series":[105.6,106.3,106.7,106.3,106.0,107.9]},"focus":null,"outlines":{"porous":0.0,"rough":0.0,"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"border":{"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"saturation":{"channels":{"fl1":0.0,"fl2":0.0,"fl3":0.0},"channel":"fl1","limit":32439.329999999998,"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"frames":{"events":60,"duplicates":0,"backwards":0,"lost":0},"temperature":{"median":23.138879776000977,"drift":null,"first":null,"last":null,"series":[23.04,23.13,23.19,23.2,23.15,23.06],"range":0.19875003814697223},"flow":null,"values":{"area_um":0.0,"area_msd":0.0,"deform":0.0,"circ":0.0},"integrity":{"sane":true,"reasons":[],"violations":[]}}');
INSERT INTO "verdict" VALUES ('4e083c1f-a909-4c5f-84c3-84ea793b28b0','look','{"events":60,"unread":[],"rate":{"duration":0.519,"mean":115.60693641618496,"parts":[144.50867052023122,125.24084778420038,105.97302504816955,105.97302504816955,96.33911368015414],"noise":149.24791314864805,"pause":0.019500000000000017,"pause_at":0.2845,"pause_ratio":0.44016389975683173,"burst":3.0,"burst_at":0.2595,"burst_sigma":2.0,"series":[115.6,0.0,231.2,231.2,231.2,115.6,115.6,115.6,0.0,231.2,115.6,231.2,115.6,115.6,0.0,115.6,115.6,115.6,231.2,115.6,0.0,231.2,115.6,231.2,0.0,0.0,231.2,0.0,231.2,0.0,346.8,0.0,115.6,0.0,0.0,346.8,231.2,0.0,115.6,115.6,115.6,115.6,0.0,231.2,115.6,0.0,115.6,115.6,115.6,0.0,346.8,0.0,115.6,0.0,115.6,115.6,0.0,115.6,115.6,115.6]},"brightness":{"feature":"bright_avg","median":106.55210876464844,"drift":null,"first":null,"last":null,"series":[105.6,106.3,106.7,106.3,106.0,107.9]},"focus":null,"outlines":{"porous":0.0,"rough":0.0,"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"border":{"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"saturation":{"channels":{"fl1":0.0,"fl2":0.0,"fl3":0.0},"channel":"fl1","limit":32439.329999999998,"share":0.0,"series":[0.0,0.0,0.0,0.0,0.0,0.0]},"frames":{"events":60,"duplicates":0,"backwards":0,"lost":0},"temperature":{"median":23.138879776000977,"drift":null,"first":null,"last":null,"series":[23.04,23.13,23.19,23.2,23.15,23.06],"range":0.19875003814697223},"flow":null,"values":{"area_um":0.0,"area_msd":0.0,"deform":0.0,"circ":0.0},"integrity":{"sane":true,"reasons":[],"violations":[]}}');
CREATE TABLE measurement (
             id INTEGER PRIMARY KEY REFERENCES resource(pk) ON DELETE CASCADE,
             dataset_pk INTEGER NOT NULL REFERENCES dataset(pk) ON DELETE CASCADE,
             name TEXT NOT NULL, sample TEXT NOT NULL, date TEXT NOT NULL, events INTEGER, flow REAL, width REAL,
             region TEXT NOT NULL, medium TEXT NOT NULL, device TEXT NOT NULL, verdict TEXT NOT NULL,
             area REAL, deform REAL, emodulus REAL, supplements TEXT NOT NULL,
             words TEXT NOT NULL -- in small letters, what a text is looked for in
           );
INSERT INTO "measurement" VALUES (1,1,'cells.rtdc','Demo cells','2024-05-17',60,0.06,20.0,'channel','CellCarrierB','ZMDD-AcC-demo00-000001','look',9.20465011596679687482e+01,6.47962316870689392089e-02,NULL,'organism: human','cells.rtdc demo cells 2024-05-17 channel cellcarrierb zmdd-acc-demo00-000001 organism: human');
INSERT INTO "measurement" VALUES (2,2,'patient.rtdc','Demo cells','2024-05-17',60,0.06,20.0,'channel','CellCarrierB','ZMDD-AcC-demo00-000001','look',9.20465011596679687482e+01,6.47962316870689392089e-02,NULL,'','patient.rtdc demo cells 2024-05-17 channel cellcarrierb zmdd-acc-demo00-000001 ');
CREATE TABLE origin (
             kind TEXT NOT NULL CHECK (kind IN ('user', 'circle', 'collection', 'dataset')),
             id TEXT NOT NULL,
             source TEXT NOT NULL,    -- address of the server
             digest TEXT NOT NULL,    -- of what it told last; '' when something is still missing here
             taken TEXT NOT NULL,
             PRIMARY KEY (kind, id)
           ) WITHOUT ROWID;
CREATE TABLE received_file (
             resource_id TEXT NOT NULL,
             source TEXT NOT NULL,
             part TEXT NOT NULL UNIQUE, -- id of the whole, flushed file below tmp/parts
             size INTEGER NOT NULL,
             sha256 TEXT NOT NULL,
             etag TEXT,
             crc32 INTEGER NOT NULL,
             PRIMARY KEY (resource_id, source)
           ) WITHOUT ROWID;
CREATE TABLE gate_set (
             id TEXT PRIMARY KEY,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             name TEXT NOT NULL,
             gates TEXT NOT NULL,
             shared INTEGER NOT NULL DEFAULT 0,
             modified TEXT NOT NULL,
             UNIQUE (dataset_id, user_id, name)
           ) WITHOUT ROWID;
INSERT INTO "gate_set" VALUES ('70237d74-e15f-42f4-b6db-43e4235a9540','0827b20d-81b5-48a9-9c55-15ba76002b58','ecf260c2-c826-463d-b87e-69a1cc965892','cells','[{"name":"cells","conditions":[{"feature":"area_um","min":20.0,"max":null,"inverted":false}],"combine":"and"}]',1,'2026-12-01T17:28:35.564539');
CREATE TABLE identity (
             issuer TEXT NOT NULL,            -- 'ldap'
             subject TEXT NOT NULL,           -- what never changes there (entryUUID, objectGUID)
             user_id TEXT NOT NULL UNIQUE REFERENCES user(id) ON DELETE CASCADE,
             login TEXT NOT NULL,             -- name to sign in with there, in small letters
             administrator INTEGER NOT NULL DEFAULT 0, -- made an administrator by a group there
             locked TEXT NOT NULL DEFAULT '', -- why the account is disabled from there, '' = it is not
             paused INTEGER NOT NULL DEFAULT 0, -- nothing was heard from there for too long: credentials wait
             linked TEXT NOT NULL, confirmed TEXT,
             PRIMARY KEY (issuer, subject)
           ) WITHOUT ROWID;
CREATE TABLE publication (
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             target TEXT NOT NULL,              -- address of the server
             circle TEXT NOT NULL,              -- name there
             licence TEXT NOT NULL,
             remote_id TEXT NOT NULL DEFAULT '', -- '' = being made, or it is not known whether it was
             remote_name TEXT NOT NULL DEFAULT '',
             state TEXT NOT NULL CHECK (state IN ('begun', 'draft', 'active')), -- there
             begun TEXT NOT NULL,
             published TEXT, pseudonymised INTEGER NOT NULL DEFAULT 0,
             PRIMARY KEY (dataset_id, target)
           ) WITHOUT ROWID;
CREATE TABLE sent_file (
             dataset_id TEXT NOT NULL,
             target TEXT NOT NULL,
             resource_id TEXT NOT NULL,
             name TEXT NOT NULL,                -- there
             size INTEGER NOT NULL,             -- this and the checksums: of the bytes that were sent
             sha256 TEXT NOT NULL,
             etag TEXT,
             remote_id TEXT NOT NULL DEFAULT '', -- '' = not told yet
             state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'verified')),
             PRIMARY KEY (dataset_id, target, resource_id),
             FOREIGN KEY (dataset_id, target) REFERENCES publication(dataset_id, target) ON DELETE CASCADE
           ) WITHOUT ROWID;
CREATE TABLE gate_export (
             id TEXT PRIMARY KEY,
             resource_id TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             job_id TEXT NOT NULL,
             name TEXT NOT NULL,
             format TEXT NOT NULL CHECK (format IN ('rtdc', 'csv', 'tsv')),
             created TEXT NOT NULL,
             expires TEXT NOT NULL,
             events INTEGER,
             size INTEGER,
             sha256 TEXT,
             error TEXT -- why no file can be made
           ) WITHOUT ROWID;
CREATE TABLE second_factor (
             user_id TEXT PRIMARY KEY REFERENCES user(id) ON DELETE CASCADE,
             sealed BLOB NOT NULL,               -- the secret, sealed with secrets/totp.key
             since TEXT,                         -- when a code confirmed it; NULL = not yet, it is not asked for
             last_step INTEGER NOT NULL DEFAULT 0 -- period of the last code used: no code counts twice
           ) WITHOUT ROWID;
CREATE TABLE recovery_code (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             hash BLOB NOT NULL,
             used TEXT,
             PRIMARY KEY (user_id, hash)
           ) WITHOUT ROWID;
CREATE TABLE provider_session (
             session_id TEXT PRIMARY KEY REFERENCES session(id) ON DELETE CASCADE,
             issuer TEXT NOT NULL,
             subject TEXT NOT NULL,
             sid TEXT NOT NULL DEFAULT '',  -- the provider's name of its session, '' = it named none
             refresh BLOB,                  -- refresh token, sealed with secrets/oidc.key
             confirmed TEXT NOT NULL        -- when the provider last confirmed the session
           ) WITHOUT ROWID;
CREATE TABLE provider_used (hash BLOB PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE archived_file (
             resource_id TEXT PRIMARY KEY,
             state TEXT NOT NULL CHECK (state IN ('sending', 'stored', 'recalled')),
             place TEXT NOT NULL,           -- endpoint and bucket
             object_key TEXT NOT NULL,
             etag TEXT NOT NULL DEFAULT '', -- of the object; '' until it was verified
             size INTEGER NOT NULL,
             sha256 TEXT NOT NULL,
             modified INTEGER NOT NULL,     -- time of the file [Unix s]
             since TEXT NOT NULL,           -- when it got its state
             checked TEXT NOT NULL DEFAULT '',
             removed TEXT                   -- when its resource was found to be gone
           ) WITHOUT ROWID;
CREATE TABLE reference_sample (
             dataset_id TEXT PRIMARY KEY REFERENCES dataset(id) ON DELETE CASCADE,
             since TEXT NOT NULL
           ) WITHOUT ROWID;
CREATE TABLE saved_page (
             id TEXT PRIMARY KEY,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             page TEXT NOT NULL,      -- compare, measurements, dataset: the first part of its address
             title TEXT NOT NULL,
             resources TEXT NOT NULL, -- ids of the measurements of a comparison, a JSON list
             query TEXT NOT NULL,     -- the rest of the page's address
             modified TEXT NOT NULL,
             UNIQUE (user_id, page, title)
           ) WITHOUT ROWID;
CREATE TABLE saved_page_share (
             saved_page_id TEXT NOT NULL REFERENCES saved_page(id) ON DELETE CASCADE,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             PRIMARY KEY (saved_page_id, user_id)
           ) WITHOUT ROWID;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX token_user ON token(user_id);
CREATE INDEX session_user ON session(user_id);
CREATE INDEX community_kind ON community(kind, state, title);
CREATE INDEX member_user ON member(user_id, community_id);
CREATE UNIQUE INDEX dataset_name ON dataset(name) WHERE state != 'deleted';
CREATE INDEX dataset_name_all ON dataset(name);
CREATE INDEX dataset_creator ON dataset(creator_id, state);
CREATE INDEX dataset_tag_tag ON dataset_tag(tag_id);
CREATE INDEX collaborator_user ON collaborator(user_id, dataset_id);
CREATE INDEX follower_dataset ON follower(dataset_id);
CREATE INDEX resource_dataset ON resource(dataset_id, position);
CREATE INDEX rtdc_identifier ON rtdc(identifier) WHERE identifier IS NOT NULL;
CREATE INDEX upload_expires ON upload(state, expires);
CREATE UNIQUE INDEX job_dedupe ON job(dedupe) WHERE dedupe IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX job_state ON job(state, priority DESC, created);
CREATE INDEX job_resource ON job(resource_id);
CREATE INDEX job_dataset ON job(dataset_id);
CREATE INDEX job_dependency_needs ON job_dependency(needs_id);
CREATE INDEX audit_object ON audit(object_id, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE INDEX search_value_number ON search_value(field_id, number) WHERE number IS NOT NULL;
CREATE INDEX search_dataset_title ON search_dataset(title_key);
CREATE INDEX search_dataset_events ON search_dataset(num_events);
CREATE INDEX search_dataset_size ON search_dataset(size);
CREATE TRIGGER search_forget AFTER DELETE ON dataset BEGIN
         DELETE FROM search_posting WHERE pk = old.pk AND value_id IN (
           SELECT j.value FROM search_dataset s, json_each(s.facet_ids) j WHERE s.pk = old.pk
           UNION ALL SELECT j.value FROM search_dataset s, json_each(s.measure_ids) j WHERE s.pk = old.pk);
         DELETE FROM search_dataset WHERE pk = old.pk;
         UPDATE search_state SET version = version + 1;
       END;
CREATE INDEX dataset_listing ON dataset(pk, state, private, circle_id, id, created, modified);
CREATE INDEX dataset_created ON dataset(created, state, private, circle_id, id, modified);
CREATE INDEX dataset_modified ON dataset(modified, state, private, circle_id, id, created);
CREATE INDEX dataset_circle ON dataset(circle_id, state, private, id, created, modified);
CREATE INDEX resource_sha256 ON resource(sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX resource_etag ON resource(etag) WHERE etag IS NOT NULL;
CREATE INDEX token_parent ON token(parent) WHERE parent IS NOT NULL;
CREATE INDEX collection_dataset_dataset ON collection_dataset(dataset_id, collection_id, granted);
CREATE INDEX collection_dataset_maker ON collection_dataset(added_by) WHERE added_by IS NOT NULL;
CREATE TRIGGER sharing_ends_member_left AFTER DELETE ON member WHEN OLD.role != 'member' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE added_by = OLD.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_member_put AFTER INSERT ON member WHEN NEW.role = 'member' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE added_by = NEW.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_member_lowered AFTER UPDATE ON member WHEN NEW.role = 'member' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE added_by = NEW.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_collaborator_left AFTER DELETE ON collaborator WHEN OLD.capacity = 'editor' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE dataset_id = OLD.dataset_id AND added_by = OLD.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_collaborator_put AFTER INSERT ON collaborator WHEN NEW.capacity != 'editor' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE dataset_id = NEW.dataset_id AND added_by = NEW.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_collaborator_lowered AFTER UPDATE ON collaborator WHEN NEW.capacity != 'editor' BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE dataset_id = NEW.dataset_id AND added_by = NEW.user_id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_user_ended AFTER UPDATE OF state, sysadmin ON user WHEN 1 BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE added_by = NEW.id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_user_removed AFTER DELETE ON user WHEN 1 BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE added_by = OLD.id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE TRIGGER sharing_ends_dataset_moved AFTER UPDATE OF circle_id ON dataset WHEN NEW.circle_id != OLD.circle_id BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE dataset_id = NEW.id AND granted = 1 AND basis = 'update' AND NOT EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')));
            END;
CREATE INDEX one_time_link_session ON one_time_link(session_id) WHERE session_id IS NOT NULL;
CREATE INDEX job_queued ON job(user_id, priority DESC, created) WHERE state = 'queued';
CREATE INDEX token_maker ON token(maker) WHERE maker IS NOT NULL;
CREATE INDEX community_follower_community ON community_follower(community_id);
CREATE INDEX user_follower_followed ON user_follower(followed_id);
CREATE INDEX dataset_version_of ON dataset(version_of) WHERE version_of IS NOT NULL;
CREATE INDEX resource_shared ON resource(shared_id) WHERE shared_id IS NOT NULL;
CREATE UNIQUE INDEX access_request_open ON access_request(dataset_id, user_id) WHERE state = 'open';
CREATE INDEX access_request_user ON access_request(user_id);
CREATE UNIQUE INDEX notification_new ON notification(user_id, kind, dataset_id) WHERE seen IS NULL;
CREATE INDEX notification_user ON notification(user_id, at);
CREATE INDEX notification_dataset ON notification(dataset_id);
CREATE INDEX notification_unmailed ON notification(at) WHERE mailed IS NULL;
CREATE INDEX verdict_grade ON verdict(resource_id, grade);
CREATE INDEX measurement_dataset ON measurement(dataset_pk);
CREATE INDEX measurement_name ON measurement(name);
CREATE INDEX measurement_sample ON measurement(sample);
CREATE INDEX measurement_date ON measurement(date);
CREATE INDEX measurement_events ON measurement(events);
CREATE INDEX measurement_flow ON measurement(flow);
CREATE INDEX measurement_width ON measurement(width);
CREATE INDEX measurement_region ON measurement(region);
CREATE INDEX measurement_medium ON measurement(medium);
CREATE INDEX measurement_device ON measurement(device);
CREATE INDEX measurement_verdict ON measurement(verdict);
CREATE INDEX measurement_area ON measurement(area);
CREATE INDEX measurement_deform ON measurement(deform);
CREATE INDEX measurement_emodulus ON measurement(emodulus);
CREATE INDEX origin_source ON origin(source, kind);
CREATE INDEX gate_set_user ON gate_set(user_id);
CREATE INDEX identity_login ON identity(issuer, login);
CREATE INDEX one_time_link_user ON one_time_link(user_id);
CREATE TRIGGER link_ends_user AFTER UPDATE OF email, sysadmin, state, password ON user
           WHEN OLD.email IS NOT NEW.email OR OLD.sysadmin IS NOT NEW.sysadmin OR OLD.state IS NOT NEW.state
             OR OLD.password IS NOT NEW.password
           BEGIN DELETE FROM one_time_link WHERE user_id = NEW.id; END;
CREATE TRIGGER link_ends_member_insert AFTER INSERT ON member WHEN 1 BEGIN
                  DELETE FROM one_time_link WHERE user_id = NEW.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = NEW.user_id AND u.password IS NOT NULL);
                END;
CREATE TRIGGER link_ends_member_update AFTER UPDATE OF role ON member WHEN OLD.role IS NOT NEW.role BEGIN
                  DELETE FROM one_time_link WHERE user_id = NEW.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = NEW.user_id AND u.password IS NOT NULL);
                END;
CREATE TRIGGER link_ends_member_delete AFTER DELETE ON member WHEN 1 BEGIN
                  DELETE FROM one_time_link WHERE user_id = OLD.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = OLD.user_id AND u.password IS NOT NULL);
                END;
CREATE TRIGGER link_ends_collaborator_insert AFTER INSERT ON collaborator WHEN 1 BEGIN
                  DELETE FROM one_time_link WHERE user_id = NEW.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = NEW.user_id AND u.password IS NOT NULL);
                END;
CREATE TRIGGER link_ends_collaborator_update AFTER UPDATE OF capacity ON collaborator WHEN OLD.capacity IS NOT NEW.capacity BEGIN
                  DELETE FROM one_time_link WHERE user_id = NEW.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = NEW.user_id AND u.password IS NOT NULL);
                END;
CREATE TRIGGER link_ends_collaborator_delete AFTER DELETE ON collaborator WHEN 1 BEGIN
                  DELETE FROM one_time_link WHERE user_id = OLD.user_id AND purpose = 'password'
                    AND EXISTS (SELECT 1 FROM user u WHERE u.id = OLD.user_id AND u.password IS NOT NULL);
                END;
CREATE INDEX gate_export_user ON gate_export(user_id);
CREATE INDEX gate_export_resource ON gate_export(resource_id);
CREATE INDEX provider_session_subject ON provider_session(issuer, subject);
CREATE INDEX archived_file_state ON archived_file(state);
CREATE INDEX saved_page_share_user ON saved_page_share(user_id);
PRAGMA writable_schema = ON;
INSERT INTO sqlite_master VALUES ('table','search_text','search_text',0,'CREATE VIRTUAL TABLE search_text USING fts5(
         name, title, tags, collections, authors, notes, res_name, res_description, more, tokenize = ''ascii'')');
INSERT INTO sqlite_master VALUES ('table','search_vocabulary','search_vocabulary',0,'CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab(''search_text'', ''row'')');
PRAGMA writable_schema = OFF;
COMMIT;
PRAGMA user_version = 39;
