-- The accounts at certificate authorities, one for each ACME directory. Credentials are sealed, bound to the directory.
CREATE TABLE acme_accounts (
    directory TEXT PRIMARY KEY,
    sealed_credentials BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The server's own authority: one row, made when the first name needs it.
CREATE TABLE own_authority (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    certificate TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Certificates we got or made, at most one from each source for a hostname. A row outlives its hostname until it expires: adding the
-- name again needs no new order. Times are Unix seconds.
CREATE TABLE certificates (
    hostname TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('acme', 'own')),
    -- The ACME directory it came from; NULL for our own.
    directory TEXT,
    fingerprint TEXT NOT NULL,
    issuer TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    -- When we got it, by our own clock.
    obtained_at INTEGER NOT NULL,
    -- Whether visitors' browsers trust who signed it, as far as we know.
    trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
    -- When the authority wants it renewed (RFC 9773), and when to ask it again.
    renew_at INTEGER,
    ask_at INTEGER,
    -- Last: what is listed stands before the large values.
    chain TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    PRIMARY KEY (hostname, source),
    CHECK ((source = 'acme') = (directory IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Certificates an app's people brought themselves.
CREATE TABLE added_certificates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    -- The names in it, one a line.
    names TEXT NOT NULL,
    chain TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    issuer TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (app_id, names)
) STRICT;

-- Orders under way. The row and its key come before the order; the URL when the authority has answered.
CREATE TABLE certificate_orders (
    hostname TEXT PRIMARY KEY,
    directory TEXT NOT NULL,
    url TEXT,
    sealed_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What became of the tries for a hostname since its last success. Written before a try as if it had failed, so that a crash is one.
CREATE TABLE certificate_tries (
    hostname TEXT PRIMARY KEY,
    -- In a row, at the authority; and in a row, of our own check before it.
    failures INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    tried_at INTEGER NOT NULL,
    next_try INTEGER NOT NULL,
    -- The authority has asked not to be asked before; no command shortens it. 0 when it has not.
    held_until INTEGER NOT NULL DEFAULT 0,
    -- A word for programs and a sentence for people.
    problem_kind TEXT,
    problem TEXT
) STRICT, WITHOUT ROWID;
