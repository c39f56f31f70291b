-- Wrong passwords are counted for an account and an address of the network; an empty address counts those of all.
DROP TABLE login_attempts;
CREATE TABLE login_attempts (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER,
    proven_at INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, address)
);
