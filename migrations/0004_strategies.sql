-- New states of a deploy (holding, candidate, aborted), the strategy it goes by, and the share of a candidate. A CHECK cannot be altered, so the
-- table is made anew. Rows of other tables point to it: that they do is checked when the migration is committed. It is dropped, not renamed, for a
-- rename would lead those references along.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE old_deploys AS SELECT * FROM deploys;
CREATE TABLE old_sequence AS SELECT seq FROM sqlite_sequence WHERE name = 'deploys';
DROP TABLE deploys;

CREATE TABLE deploys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL REFERENCES apps (id),
    kind TEXT NOT NULL CHECK (kind IN ('push', 'config', 'restart', 'start', 'scale')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'building', 'holding', 'releasing', 'starting', 'checking', 'candidate', 'switching',
        'draining', 'done', 'failed', 'cancelled', 'superseded', 'interrupted', 'aborted')),
    release_id INTEGER REFERENCES releases (id),
    -- The commit a push wants to deploy.
    commit_id TEXT,
    requested_by TEXT NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Other than rolling from the moment it holds the app's requests.
    strategy TEXT NOT NULL DEFAULT 'rolling' CHECK (strategy IN ('rolling', 'hold', 'recreate')),
    -- How many of a hundred visitors get the candidate.
    share INTEGER CHECK (share BETWEEN 0 AND 100),
    CHECK (state <> 'holding' OR strategy <> 'rolling'),
    -- Two versions are alive while there is a candidate.
    CHECK (state <> 'candidate' OR (strategy = 'rolling' AND share IS NOT NULL AND release_id IS NOT NULL))
) STRICT;

INSERT INTO deploys (id, app_id, kind, state, release_id, commit_id, requested_by, error, created_at, updated_at)
SELECT id, app_id, kind, state, release_id, commit_id, requested_by, error, created_at, updated_at FROM old_deploys;

-- Ids are never given again, those of destroyed apps neither: they are in names and labels.
DELETE FROM sqlite_sequence WHERE name = 'deploys';
INSERT INTO sqlite_sequence (name, seq) SELECT 'deploys', seq FROM old_sequence;
DROP TABLE old_sequence;
DROP TABLE old_deploys;

CREATE INDEX deploys_by_app ON deploys (app_id, id);
-- What became of a release is asked of its deploys.
CREATE INDEX deploys_by_release ON deploys (release_id);
CREATE INDEX deploys_running ON deploys (state)
    WHERE state NOT IN ('candidate', 'done', 'failed', 'cancelled', 'superseded', 'interrupted', 'aborted');
-- One at a time keeps an app's requests waiting, and one is its candidate.
CREATE UNIQUE INDEX deploys_holding ON deploys (app_id)
    WHERE strategy <> 'rolling' AND state IN ('holding', 'releasing', 'starting', 'checking');
CREATE UNIQUE INDEX deploys_candidate ON deploys (app_id) WHERE state = 'candidate';
