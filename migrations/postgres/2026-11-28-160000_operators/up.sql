-- People who work at the panel: an account is a person, an operator is what that person is in an organization.
CREATE TABLE operator_accounts (
    id TEXT PRIMARY KEY,
    email TEXT UNIQUE, -- in lower case; null for the first one until its link was used
    name TEXT NOT NULL,
    language TEXT,
    password_hash TEXT, -- null until an invitation was accepted
    totp_secret TEXT, -- sealed
    totp_confirmed BOOLEAN NOT NULL, -- until then the secret is not asked for
    totp_step BIGINT NOT NULL, -- of the last code that was used: each works once
    last_login_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES operator_accounts (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    role TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    invited_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (account_id, organization_id)
);
CREATE INDEX operators_by_organization ON operators (organization_id, created_at, id);

CREATE TABLE operator_logins (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES operator_accounts (id) ON DELETE CASCADE,
    operator_id TEXT NOT NULL REFERENCES operators (id) ON DELETE CASCADE, -- for which organization
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX operator_logins_by_account ON operator_logins (account_id);

CREATE TABLE operator_links (
    hash TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES operator_accounts (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX operator_links_by_account ON operator_links (account_id);

-- E-mails to operators.
ALTER TABLE letters ADD COLUMN account_id TEXT;
