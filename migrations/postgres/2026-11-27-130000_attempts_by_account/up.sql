-- Wrong passwords are counted for an account and an address of the network; an empty address counts those of all.
DROP TABLE login_attempts;
CREATE TABLE login_attempts (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until TIMESTAMPTZ,
    proven_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account, address)
);
