-- The ward's own tables; docs/store.md describes them. The rows for lists and the attachments' tables are
-- gandan-core's and are made by migrations of their own.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Reference data of the ward.

CREATE TABLE old_wards (
    code     TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    district TEXT    NOT NULL,
    divided  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE areas (
    code       TEXT    NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    type_label TEXT    NOT NULL,
    parent     TEXT    REFERENCES areas (code),
    old_names  TEXT    NOT NULL, -- one a line, newest first
    valid_from TEXT    NOT NULL,
    valid_to   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE divisions (
    code       TEXT    NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    is_outside INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE categories (
    code     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    parent   TEXT    REFERENCES categories (code)
) STRICT, WITHOUT ROWID;

-- People and what they write with.

CREATE TABLE officers (
    id            BLOB    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    scope_version INTEGER NOT NULL, -- of the newest line in scopes
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE officer_areas (
    officer BLOB NOT NULL REFERENCES officers (id),
    area    TEXT NOT NULL REFERENCES areas (code),
    PRIMARY KEY (officer, area)
) STRICT, WITHOUT ROWID;

-- What officers might see, version by version, so that a cursor says what a device holds. A version is
-- random: after a restore a new one is never taken for one that was given before.
CREATE TABLE scopes (
    officer BLOB    NOT NULL REFERENCES officers (id),
    number  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    areas   TEXT,             -- one a line, with everything below; NULL is the whole ward
    floor   INTEGER NOT NULL, -- what was quiet up to this place of the feed was not held
    PRIMARY KEY (officer, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    token_hash BLOB    NOT NULL PRIMARY KEY, -- BLAKE3; the token itself is nowhere
    officer    BLOB    NOT NULL REFERENCES officers (id),
    addresses  TEXT    NOT NULL, -- one a line
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_by    BLOB,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id              BLOB    NOT NULL PRIMARY KEY,
    officer         BLOB    NOT NULL REFERENCES officers (id),
    name            TEXT    NOT NULL,
    enrolled_at     INTEGER NOT NULL,
    seen_at         INTEGER,
    revoked_at      INTEGER,
    wipe_ordered_at INTEGER,          -- it is told so at its next word; never without revoked_at
    wipe_told_at    INTEGER,          -- when it was told first
    unsent_refused  INTEGER NOT NULL DEFAULT 0, -- revoked, and what it has unsent is not wanted
    app_version     TEXT    NOT NULL,
    clock_offset_ms INTEGER NOT NULL, -- the device's clock minus the ward's at the last greeting
    replaces        BLOB,             -- the device that this one was before it had another key
    reported_epoch  BLOB    NOT NULL  -- last epoch whose feed it has read to the end
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    officer           BLOB    NOT NULL PRIMARY KEY REFERENCES officers (id),
    login             TEXT    NOT NULL UNIQUE,
    salt              BLOB    NOT NULL,
    password_hash     BLOB    NOT NULL, -- argon2id with the three parameters beside it
    memory_kib        INTEGER NOT NULL,
    iterations        INTEGER NOT NULL,
    parallelism       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash  BLOB    NOT NULL PRIMARY KEY, -- BLAKE3; the token itself is nowhere
    officer     BLOB    NOT NULL REFERENCES staff (officer),
    began_at    INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    address     TEXT    NOT NULL, -- from where, and with what, as its owner is shown
    browser     TEXT    NOT NULL,
    awaits_code INTEGER NOT NULL -- opens nothing before the second factor
) STRICT, WITHOUT ROWID;

-- Secrets of authenticators (TOTP). `last_step`: no code of this step or before is taken any more.
CREATE TABLE second_factors (
    officer   BLOB    NOT NULL PRIMARY KEY REFERENCES staff (officer),
    secret    BLOB    NOT NULL,
    is_on     INTEGER NOT NULL CHECK (is_on IN (0, 1)),
    last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Recovery codes that were not used: BLAKE3 of 120 random bits.
CREATE TABLE recovery_codes (
    officer   BLOB NOT NULL REFERENCES staff (officer),
    code_hash BLOB NOT NULL,
    PRIMARY KEY (officer, code_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_failures (
    subject  BLOB    NOT NULL PRIMARY KEY, -- BLAKE3 of login and source
    failures INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Truth: edits, and the feed that says in which order the ward admitted them.

CREATE TABLE edits (
    id             BLOB    NOT NULL PRIMARY KEY,
    kind           INTEGER NOT NULL,
    uuid           BLOB    NOT NULL,
    actor          BLOB    NOT NULL,
    actor_sequence INTEGER NOT NULL,
    intent         BLOB    NOT NULL,
    author         BLOB    NOT NULL,
    bytes          BLOB    NOT NULL, -- canonical encoding
    UNIQUE (kind, uuid, actor, actor_sequence)
) STRICT;

CREATE INDEX edits_by_intent ON edits (kind, uuid, intent);

CREATE TABLE feed (
    sequence    INTEGER NOT NULL PRIMARY KEY,
    edit        BLOB    NOT NULL UNIQUE REFERENCES edits (id),
    kind        INTEGER NOT NULL,
    uuid        BLOB    NOT NULL,
    author      BLOB    NOT NULL,
    device      BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    salt        BLOB    NOT NULL, -- 0: its own, 1: that of all entries of a transaction; 16 bytes
    chain       BLOB    NOT NULL -- after this entry
) STRICT;

CREATE INDEX feed_by_document ON feed (kind, uuid, sequence);

-- One line a document: its heads, and what decides who may see it.
CREATE TABLE documents (
    kind          INTEGER NOT NULL,
    uuid          BLOB    NOT NULL,
    heads         BLOB    NOT NULL, -- 32 bytes each, ascending
    edit_count    INTEGER NOT NULL,
    sum           BLOB    NOT NULL, -- of the ids of its edits; core/src/protocol/agreement.rs
    recorder      BLOB,             -- of a case or visit
    area          TEXT,
    is_restricted INTEGER NOT NULL,
    quiet_since   INTEGER,          -- its newest entry (its person's included), if nothing of it is open
    awaits_number INTEGER NOT NULL, -- accepted while numbering was paused, or taken back without it
    PRIMARY KEY (kind, uuid)
) STRICT, WITHOUT ROWID;

-- The same of all documents that every scope covers alike: what a device should hold is added up from these.
CREATE TABLE sums (
    kind          INTEGER NOT NULL,
    recorder      BLOB    NOT NULL, -- of a case or visit, of a person's case; empty for none
    area          TEXT    NOT NULL, -- empty for none
    is_restricted INTEGER NOT NULL,
    is_past       INTEGER NOT NULL, -- quiet since before the floor
    sum           BLOB    NOT NULL,
    PRIMARY KEY (kind, recorder, area, is_restricted, is_past)
) STRICT, WITHOUT ROWID;

CREATE INDEX documents_awaiting_number ON documents (kind, uuid) WHERE awaits_number = 1;

-- Cases and visits that came to be placed otherwise with an entry of the feed: how they were before.
CREATE TABLE moves (
    sequence      INTEGER NOT NULL PRIMARY KEY REFERENCES feed (sequence),
    kind          INTEGER NOT NULL,
    uuid          BLOB    NOT NULL,
    recorder      BLOB,
    area          TEXT,
    is_restricted INTEGER NOT NULL,
    quiet_since   INTEGER
) STRICT;

CREATE INDEX moves_by_document ON moves (kind, uuid, sequence);

-- An actor belongs for ever to the device from which it was seen first.
CREATE TABLE actors (
    actor  BLOB NOT NULL PRIMARY KEY,
    device BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Files to which admitted edits refer and that are not here, each with the device that wrote the edit.
CREATE TABLE lacked_attachments (
    hash   BLOB NOT NULL,
    device BLOB NOT NULL,
    PRIMARY KEY (device, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX lacked_attachments_hash ON lacked_attachments (hash);

-- Whose file lies here in parts, and when the last of them came.
CREATE TABLE unfinished_attachments (
    hash   BLOB    NOT NULL PRIMARY KEY,
    device BLOB    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who brought which file, for the quota of a day.
CREATE TABLE attachment_receipts (
    hash        BLOB    NOT NULL PRIMARY KEY,
    device      BLOB    NOT NULL,
    bytes       INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attachment_receipts_device ON attachment_receipts (device, received_at);

-- Final refusals, per device: another device that sends the same bytes proves nothing about the first.
CREATE TABLE rejected_edits (
    edit   BLOB    NOT NULL,
    device BLOB    NOT NULL,
    code   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (edit, device)
) STRICT, WITHOUT ROWID;

-- What remains of a bundle: the device's word that it wrote these edits.
CREATE TABLE bundle_proofs (
    bundle    BLOB    NOT NULL PRIMARY KEY,
    device    BLOB    NOT NULL,
    sealed_at INTEGER NOT NULL,
    edits     BLOB    NOT NULL, -- 32 bytes each, in the order of the bundle
    signature BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Lives of the feed. After a restore the old one ends and a new one begins.
CREATE TABLE epochs (
    epoch      BLOB    NOT NULL PRIMARY KEY,
    seen_at    INTEGER NOT NULL,
    is_current INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX epochs_current ON epochs (is_current) WHERE is_current = 1;

-- Edits that the ward signed before a restore and that depend on others which nobody gave back yet.
CREATE TABLE returned_edits (
    edit        BLOB    NOT NULL PRIMARY KEY,
    kind        INTEGER NOT NULL,
    uuid        BLOB    NOT NULL,
    author      BLOB    NOT NULL,
    device      BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    bytes       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX returned_edits_by_document ON returned_edits (kind, uuid);

-- Every number of the register was issued to a case or is void with a reason: no gaps.
CREATE TABLE official_numbers (
    register    TEXT    NOT NULL,
    year        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    uuid        BLOB,             -- of the case
    at          INTEGER NOT NULL,
    void_reason TEXT,
    PRIMARY KEY (register, year, number),
    CHECK ((uuid IS NULL) = (void_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX official_numbers_by_case ON official_numbers (register, uuid) WHERE uuid IS NOT NULL;

-- The audit trail: who did what to which record. Appended only; no personal data.
CREATE TABLE audit (
    number          INTEGER NOT NULL PRIMARY KEY, -- 1, 2, 3, ...
    at              INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    officer         BLOB,
    device          BLOB,
    detail          TEXT    NOT NULL, -- counts: name=number, divided by spaces
    subjects        TEXT,             -- ids, one a line; NULL once they were forgotten, and the salt with them
    salt            BLOB,
    subjects_digest BLOB    NOT NULL,
    feed_sequence   INTEGER NOT NULL, -- where the feed stood, and its chain there
    feed_chain      BLOB    NOT NULL,
    chain           BLOB    NOT NULL, -- after this entry
    CHECK ((subjects IS NULL) = (salt IS NULL))
) STRICT;

CREATE INDEX audit_by_kind ON audit (kind, number);
CREATE INDEX audit_by_officer ON audit (officer, number) WHERE officer IS NOT NULL;

-- The same subjects, to be looked up.
CREATE TABLE audit_subjects (
    subject TEXT    NOT NULL,
    number  INTEGER NOT NULL REFERENCES audit (number),
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_subjects_by_entry ON audit_subjects (number);

-- Purged documents: the ward's signed word, and its place in the feed.
CREATE TABLE tombstones (
    sequence  INTEGER NOT NULL PRIMARY KEY REFERENCES purged_entries (sequence),
    kind      INTEGER NOT NULL,
    uuid      BLOB    NOT NULL,
    reason    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB    NOT NULL,
    UNIQUE (kind, uuid)
) STRICT;

-- Places of the feed of which only the digest is left, and those of tombstones.
CREATE TABLE purged_entries (
    sequence INTEGER NOT NULL PRIMARY KEY,
    digest   BLOB    NOT NULL,
    chain    BLOB    NOT NULL -- after this entry
) STRICT;

-- The sealed register: what may be known of a case that was found to be a denunciation. Read by `sealed list`
-- alone, never by search, export, dashboard or log.
CREATE TABLE sealed_register (
    number          INTEGER NOT NULL PRIMARY KEY,
    uuid            BLOB    NOT NULL UNIQUE,
    recorded_at     INTEGER NOT NULL,
    sealed_at       INTEGER NOT NULL,
    officer         BLOB    NOT NULL,
    area            TEXT,
    paper_reference TEXT,
    official_number TEXT
) STRICT;

-- Files that revoked devices handed over, sealed as they came, until somebody has looked into them.
CREATE TABLE quarantine (
    number     INTEGER NOT NULL PRIMARY KEY,
    device     BLOB    NOT NULL,
    begun_at   INTEGER NOT NULL,
    ended_at   INTEGER,          -- NULL: it was cut off, and holds what had come
    settled_at INTEGER,          -- when it was taken or thrown away; its bytes are gone since
    outcome    TEXT,             -- taken, discarded; replaced by what the device handed over later
    CHECK ((settled_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX quarantine_by_device ON quarantine (device) WHERE settled_at IS NULL;

CREATE TABLE quarantine_pieces (
    number INTEGER NOT NULL REFERENCES quarantine (number),
    start  INTEGER NOT NULL, -- of its first byte in the file
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (number, start)
) STRICT;

-- What people ask about their own data. Words of theirs go when they are forgotten.
CREATE TABLE citizen_requests (
    number      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the audit trail names it; never given twice
    kind        TEXT    NOT NULL, -- access, correction, withdrawal, erasure
    record      BLOB,             -- of the case by which the person is known, if any
    asker       TEXT,             -- who asks, and how to reach them
    received_at INTEGER NOT NULL,
    answer_due  INTEGER NOT NULL,
    act_due     INTEGER,
    answered_at INTEGER,
    closed_at   INTEGER,
    outcome     TEXT,             -- done, refused
    reason      TEXT,             -- of a refusal
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
) STRICT;
