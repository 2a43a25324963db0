-- One row: which installation this database belongs to. Its label is on everything we make in the engine.
CREATE TABLE instance (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    label TEXT NOT NULL,
    -- A known text, sealed: it opens only with the right key.
    canary BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- Which /24 of the pool is this app's network.
    subnet INTEGER NOT NULL UNIQUE,
    -- Host numbers are given round the range, so that an address is not reused soon after its container is gone.
    next_address INTEGER NOT NULL DEFAULT 2,
    wanted TEXT NOT NULL DEFAULT 'running' CHECK (wanted IN ('running', 'stopped', 'destroyed', 'destroyed_with_volumes')),
    -- What runs, or would run when started.
    release_id INTEGER REFERENCES releases (id),
    -- The deploy whose containers serve; NULL when nothing should run.
    active_deploy INTEGER REFERENCES deploys (id),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;

-- `sealed` is nonce + ciphertext (XChaCha20-Poly1305), bound to the app and the name.
CREATE TABLE config_vars (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
    hostname TEXT PRIMARY KEY,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE volumes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- Set before the volume is removed from the engine.
    destroying INTEGER NOT NULL DEFAULT 0 CHECK (destroying IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE mounts (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    path TEXT NOT NULL,
    volume_id INTEGER NOT NULL REFERENCES volumes (id),
    PRIMARY KEY (app_id, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX mounts_by_volume ON mounts (volume_id);

CREATE TABLE scale (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    process_type TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count BETWEEN 0 AND 100),
    PRIMARY KEY (app_id, process_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

-- The apps a key that is not an admin's may use.
CREATE TABLE key_apps (
    key_id INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    PRIMARY KEY (key_id, app_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    version INTEGER NOT NULL,
    image TEXT NOT NULL,
    commit_id TEXT,
    description TEXT NOT NULL,
    created_by TEXT NOT NULL,
    -- The whole `ReleaseSpec` as JSON, sealed: it holds config values. Bound to the app and the version.
    sealed_spec BLOB NOT NULL,
    -- The image was removed to free the disk; the release cannot be deployed again.
    image_removed INTEGER NOT NULL DEFAULT 0 CHECK (image_removed IN (0, 1)),
    created_at INTEGER NOT NULL,
    UNIQUE (app_id, version)
) STRICT;

CREATE TABLE deploys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    kind TEXT NOT NULL CHECK (kind IN ('push', 'config', 'restart', 'start', 'scale')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'building', 'releasing', 'starting', 'checking', 'switching', 'draining',
        'done', 'failed', 'cancelled', 'superseded', 'interrupted')),
    release_id INTEGER REFERENCES releases (id),
    -- The commit a push wants to deploy.
    commit_id TEXT,
    requested_by TEXT NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX deploys_by_app ON deploys (app_id, id);
-- What became of a release is asked of its deploys.
CREATE INDEX deploys_by_release ON deploys (release_id);
CREATE INDEX deploys_running ON deploys (state) WHERE state NOT IN ('done', 'failed', 'cancelled', 'superseded', 'interrupted');

-- A container that should be, or that still has to be removed. The row is made before the container and goes after it.
CREATE TABLE containers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    deploy_id INTEGER NOT NULL REFERENCES deploys (id),
    release_id INTEGER NOT NULL REFERENCES releases (id),
    -- NULL for the release command's container.
    process_type TEXT,
    number INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    -- The host number in the app's /24.
    address INTEGER NOT NULL,
    UNIQUE (app_id, address)
) STRICT;

CREATE INDEX containers_by_deploy ON containers (deploy_id);
CREATE INDEX containers_by_release ON containers (release_id);
