-- The first schema. `body` is the whole word as JSON; the other columns are for keys and for people.
PRAGMA application_id = 1937203568;

CREATE TABLE sweeps (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at REAL,
    body TEXT NOT NULL
);

CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    sweep_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    token INTEGER,
    best REAL,
    body TEXT NOT NULL
);
CREATE INDEX runs_of_sweep ON runs (sweep_id, number);

CREATE TABLE attempts (
    token INTEGER NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    sweep_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX attempts_of_run ON attempts (run_id, token);

CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    sweep_id TEXT NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    sweep_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE shelves (
    sweep_id TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

-- History rows; an attempt's token tells the run. `seq` is the key of exactly-once.
CREATE TABLE points (
    token INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    step INTEGER NOT NULL,
    at REAL,
    body TEXT NOT NULL,
    PRIMARY KEY (token, seq)
) WITHOUT ROWID;

-- Console lines by number; a text that UTF-8 cannot carry is a blob.
CREATE TABLE lines (
    token INTEGER NOT NULL,
    line INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (token, line)
) WITHOUT ROWID;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    sweep_id TEXT NOT NULL,
    run_id TEXT NOT NULL
);
CREATE INDEX notes_of_sweep ON notes (sweep_id);
CREATE INDEX notes_of_run ON notes (run_id);

-- One row that is written to find out whether the disk takes anything.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n INTEGER NOT NULL
);

CREATE VIEW history AS
    SELECT a.run_id, a.number AS attempt, p.seq, p.step, p.at, p.body
    FROM attempts a JOIN points p ON p.token = a.token;

CREATE VIEW log AS
    SELECT a.run_id, a.number AS attempt, l.line, l.text
    FROM attempts a JOIN lines l ON l.token = a.token;
