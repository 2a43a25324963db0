-- Paths below hostnames that lead to an app, whichever app the rest of the hostname leads to.
CREATE TABLE path_routes (
    hostname TEXT NOT NULL,
    path TEXT NOT NULL,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    strip INTEGER NOT NULL CHECK (strip IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (hostname, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX path_routes_by_app ON path_routes (app_id);

-- Hostnames whose visitors are sent to another one. A hostname is in here or in `domains`, never in both.
CREATE TABLE redirects (
    hostname TEXT PRIMARY KEY,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    to_hostname TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status IN (301, 302, 307, 308)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX redirects_by_app ON redirects (app_id);

-- Who may visit an app. Of a password there is only a slow hash with a salt of its own.
CREATE TABLE users (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;

-- Ranges of addresses: where visitors may come from, and which proxies before us are believed.
CREATE TABLE ip_ranges (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    list TEXT NOT NULL CHECK (list IN ('allow', 'trusted_proxies')),
    range TEXT NOT NULL,
    PRIMARY KEY (app_id, list, range)
) STRICT, WITHOUT ROWID;

-- HTML in place of our own pages: `maintenance`, or a status.
CREATE TABLE pages (
    app_id INTEGER NOT NULL REFERENCES apps (id),
    page TEXT NOT NULL,
    html TEXT NOT NULL,
    PRIMARY KEY (app_id, page)
) STRICT;
