-- Readings of stations, packed (see src/charging/sessions/packed.rs). meter_values keeps what is older until it is packed, too.
CREATE TABLE reading_chunks (
    id INTEGER PRIMARY KEY,
    connector_id TEXT NOT NULL,
    session_id TEXT,
    last_report INTEGER NOT NULL, -- the newest report of its session in it; 0: it is beside those
    readings INTEGER NOT NULL, -- how many
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    first_station_time INTEGER NOT NULL, -- by the clock of the station
    last_station_time INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX reading_chunks_by_session ON reading_chunks (session_id, last_report) WHERE session_id IS NOT NULL;
CREATE INDEX reading_chunks_by_connector ON reading_chunks (connector_id, last_station_time);

-- What was reported of sessions that run, and is in no chunk yet: a row a commit. The incarnation is the server's run that wrote it.
CREATE TABLE session_journal (
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (incarnation, seq)
) WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN reports INTEGER NOT NULL DEFAULT 0; -- how many reports of readings its row has taken in
