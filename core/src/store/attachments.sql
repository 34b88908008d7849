-- Files by content. `number` is internal; `hash` is BLAKE3 of all bytes.
CREATE TABLE attachments (
    number INTEGER PRIMARY KEY,
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    bytes  INTEGER NOT NULL,
    mime   TEXT    NOT NULL
) STRICT;

-- A file's bytes in pieces of 64 KiB, so that writing and reading one never needs a cell of 10 MiB.
CREATE TABLE attachment_chunks (
    attachment INTEGER NOT NULL REFERENCES attachments (number) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    bytes      BLOB    NOT NULL,
    UNIQUE (attachment, position)
) STRICT;

-- Parts of files that are not here whole yet, each checked against the file's hash when it came; from
-- the start without a gap.
CREATE TABLE attachment_parts (
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    offset INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    UNIQUE (hash, offset)
) STRICT;
