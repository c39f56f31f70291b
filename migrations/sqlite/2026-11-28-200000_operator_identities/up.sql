-- Who somebody is to a login provider (OpenID Connect), linked to an account at the first login by it.
CREATE TABLE operator_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL, -- the provider's own name of the person, which is never given to another one
    account_id TEXT NOT NULL REFERENCES operator_accounts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (account_id, issuer)
);

-- Browsers that were sent to a login provider and have not come back.
CREATE TABLE operator_oidc_requests (
    hash TEXT PRIMARY KEY, -- of the secret in the browser's cookie, from which all else of the request is derived
    provider TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
