-- Rows: what lists, filters and search answer from. A projection of documents, rebuilt at will; the
-- same tables on the device and on the ward. Times are milliseconds since 1970, uuids 16 bytes,
-- codes English words. NULL means that the document does not say.

-- `number` is internal: the search index refers to it.
CREATE TABLE case_rows (
    number           INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    code             TEXT    NOT NULL,
    external_ref     TEXT,
    visit            BLOB             CHECK (length(visit) = 16),
    area             TEXT,
    place            TEXT,
    reported_kind    TEXT    NOT NULL,
    legal_kind       TEXT,
    category         TEXT    NOT NULL,
    urgency          TEXT    NOT NULL,
    source           TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    recorded_at      INTEGER NOT NULL,
    recorded_by      BLOB    NOT NULL CHECK (length(recorded_by) = 16),
    text             TEXT    NOT NULL,
    households       INTEGER NOT NULL,
    latitude_e6      INTEGER,
    longitude_e6     INTEGER,
    official_number  TEXT,
    division         TEXT,
    assignee         TEXT,
    due_at           INTEGER,
    answer           TEXT,
    delivered_at     INTEGER,
    satisfaction     TEXT,
    void_reason      TEXT,
    paper_reference  TEXT,
    confidentiality  TEXT    NOT NULL,
    note_count       INTEGER NOT NULL,
    attachment_count INTEGER NOT NULL,
    conflict_count   INTEGER NOT NULL
) STRICT;

-- Few indexes, because recording a case pays for each with a page. Codes, numbers and references
-- are found through the search index.
CREATE INDEX case_rows_recorded_at ON case_rows (recorded_at);
CREATE INDEX case_rows_visit ON case_rows (visit) WHERE visit IS NOT NULL;

-- Files to which a case refers. `is_thumbnail`: a small picture of another file of the same case.
CREATE TABLE case_attachments (
    record       BLOB    NOT NULL CHECK (length(record) = 16),
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    is_thumbnail INTEGER NOT NULL CHECK (is_thumbnail IN (0, 1)),
    PRIMARY KEY (record, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX case_attachments_hash ON case_attachments (hash);

CREATE TABLE visit_rows (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    external_ref   TEXT,
    area           TEXT,
    place          TEXT,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    officer        BLOB    NOT NULL CHECK (length(officer) = 16),
    summary        TEXT    NOT NULL,
    conflict_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_rows_started_at ON visit_rows (started_at);
CREATE INDEX visit_rows_external_ref ON visit_rows (external_ref) WHERE external_ref IS NOT NULL;

-- `id` is the uuid of the case.
CREATE TABLE person_rows (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name           TEXT,
    phone          TEXT,
    address        TEXT,
    contact_name   TEXT,
    contact_phone  TEXT,
    legal_basis    TEXT,
    consent_text   TEXT,
    conflict_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Words of a case and of its person; the rowid is `case_rows.number`. The words are cut and folded
-- in Rust, so that a hit does not depend on SQLite's tables of Unicode: `folded` without any mark,
-- `exact` with its tone in front, so that hoà and hòa are one word and hoa is another.
CREATE VIRTUAL TABLE case_search USING fts5 (
    folded, exact, tokenize = 'ascii', detail = 'column', columnsize = 0
);
-- Its pages must fit into SQLCipher's, which hold 80 bytes less than SQLite's. Words that were replaced
-- stay in it, marked, until its parts are merged; `rows::forget_words` does that for what was removed.
INSERT INTO case_search (case_search, rank) VALUES ('pgsz', 3900);

-- Cases whose words are not in the index yet. Whoever searches indexes them first.
CREATE TABLE search_due (
    number INTEGER PRIMARY KEY REFERENCES case_rows (number) ON DELETE CASCADE
) STRICT;
