-- What a device keeps beside rows and attachments. Ids are raw bytes; a document is its kind byte
-- and its uuid; a record is the uuid that a case shares with its person, or a visit's.

-- Single values: device_seed, enrolment, directory, directory_version, cursor, held, agreement,
-- fetch_policy.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The ward's signed pages without bodies: its word that it admitted the edits they name. Kept as
-- long as an edit refers to them, and given back to a ward that was restored.
CREATE TABLE proofs (
    number INTEGER PRIMARY KEY,
    page   BLOB    NOT NULL
) STRICT;

-- The truth about every document: what the ward admitted and what this device has not had refused.
-- `position` rises in an order in which each edit comes after what it depends on. `proof` and
-- `received_at` (the ward's clock) are NULL until a page of the feed named the edit. A stranded edit is
-- one of this device's officer whose document has left the scope: it is part of no document. An unsent
-- one stays until the ward's last word, one that the ward accepted is retained for a while, should the
-- ward lose it: `retained_since` is by the ward's clock, 0 until the next conversation says it.
CREATE TABLE edits (
    position    INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    document    BLOB    NOT NULL CHECK (length(document) = 17),
    bytes       BLOB    NOT NULL,
    author      BLOB    NOT NULL CHECK (length(author) = 16),
    received_at INTEGER,
    proof       INTEGER REFERENCES proofs (number),
    is_stranded INTEGER NOT NULL DEFAULT 0 CHECK (is_stranded IN (0, 1)),
    retained_since INTEGER CHECK (retained_since IS NULL OR is_stranded = 1)
) STRICT;

CREATE INDEX edits_document ON edits (document);
CREATE INDEX edits_proof ON edits (proof) WHERE proof IS NOT NULL;
CREATE INDEX edits_stranded ON edits (document) WHERE is_stranded = 1;
CREATE INDEX edits_retained ON edits (retained_since) WHERE retained_since IS NOT NULL;

-- Sealed bytes, sent again byte for byte until no row of the outbox refers to them.
CREATE TABLE bundles (
    number INTEGER PRIMARY KEY,
    id     BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    sealed BLOB    NOT NULL
) STRICT;

-- This device's edits on their way. `state`: 1 recorded, 2 sealed into a bundle, 3 accepted by the
-- ward at `sequence` of its feed but not yet named by a page, 4 accepted and never to be named, because
-- its document has left the scope. A row goes when a page names the edit or the ward refuses it; one of
-- state 4 with the retained edit.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY REFERENCES edits (position) ON DELETE CASCADE,
    state    INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
    bundle   INTEGER REFERENCES bundles (number),
    sequence INTEGER
) STRICT;

CREATE INDEX outbox_bundle ON outbox (bundle) WHERE bundle IS NOT NULL;

-- Edits that the ward refused, or that build on one, with the reason's number. They are part of no
-- document any more, unless the document has nothing else; their content stays readable.
CREATE TABLE rejected (
    number   INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    id       BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
    document BLOB    NOT NULL CHECK (length(document) = 17),
    record   BLOB    NOT NULL CHECK (length(record) = 16),
    bytes    BLOB    NOT NULL,
    author   BLOB    NOT NULL CHECK (length(author) = 16),
    reason   INTEGER NOT NULL
) STRICT;

CREATE INDEX rejected_record ON rejected (record);
CREATE INDEX rejected_document ON rejected (document);

-- Edits from the feed that cannot be used (yet). `reason`: undecodable, inapplicable, or waiting
-- for an edit that is not here. Kept whole, because a newer app may be able to use them.
CREATE TABLE set_aside (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    document    BLOB             CHECK (length(document) = 17),
    bytes       BLOB    NOT NULL,
    author      BLOB    NOT NULL CHECK (length(author) = 16),
    received_at INTEGER NOT NULL,
    proof       INTEGER NOT NULL REFERENCES proofs (number),
    reason      TEXT    NOT NULL CHECK (reason IN ('undecodable', 'inapplicable', 'waiting'))
) STRICT;

CREATE INDEX set_aside_document ON set_aside (document);
CREATE INDEX set_aside_proof ON set_aside (proof);

-- Edits of the feed whose bytes are not here, asked for by name in at most five conversations.
CREATE TABLE wanted (
    id    BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Documents that the ward has not named since it began to read its feed to this device from the
-- start; what is left at the end has left the scope.
CREATE TABLE doubtful (
    document BLOB NOT NULL PRIMARY KEY CHECK (length(document) = 17)
) STRICT, WITHOUT ROWID;

-- Cases that somebody wants to see and that are not here: what was typed, and when. `is_missing`: the
-- ward has none that this device may see.
CREATE TABLE looks (
    number     INTEGER PRIMARY KEY,
    words      TEXT    NOT NULL UNIQUE,
    is_missing INTEGER NOT NULL CHECK (is_missing IN (0, 1))
) STRICT;

-- Documents that the ward has lent: not held through the feed, and forgotten some time after `at`.
CREATE TABLE borrowed (
    document BLOB    NOT NULL PRIMARY KEY CHECK (length(document) = 17),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- This device's files on their way. `kept`: how many bytes the ward said last that it keeps.
CREATE TABLE attachment_outbox (
    number       INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    record       BLOB    NOT NULL CHECK (length(record) = 16),
    is_thumbnail INTEGER NOT NULL CHECK (is_thumbnail IN (0, 1)),
    is_confirmed INTEGER NOT NULL CHECK (is_confirmed IN (0, 1)),
    kept         INTEGER NOT NULL,
    UNIQUE (hash, record)
) STRICT;

-- Files that somebody wants to see and that are not here whole.
CREATE TABLE attachment_wanted (
    number INTEGER PRIMARY KEY,
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX attachment_outbox_unconfirmed ON attachment_outbox (number) WHERE is_confirmed = 0;
CREATE INDEX attachment_outbox_record ON attachment_outbox (record);

-- Documents that the ward has purged, each with its signed word. Handed to a ward that was restored before
-- anything else is, so that nothing of them comes back.
CREATE TABLE tombstones (
    document  BLOB    NOT NULL PRIMARY KEY CHECK (length(document) = 17),
    reason    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT, WITHOUT ROWID;
