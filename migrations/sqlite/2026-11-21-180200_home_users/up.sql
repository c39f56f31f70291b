-- Home users: users who may log in to the portal.
CREATE TABLE home_users (
    id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    password_hash TEXT, -- none until an invitation is accepted
    invited_at INTEGER NOT NULL,
    accepted_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX home_users_by_organization ON home_users (organization_id, created_at);
CREATE INDEX users_by_email ON users (email);
-- Links in letters, each for one use; only their hashes are kept.
CREATE TABLE home_links (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX home_links_by_user ON home_links (user_id);
-- A login and the refresh tokens that followed each other in it.
CREATE TABLE home_logins (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX home_logins_by_user ON home_logins (user_id);
CREATE TABLE home_refresh_tokens (
    hash TEXT PRIMARY KEY,
    login_id TEXT NOT NULL REFERENCES home_logins (id) ON DELETE CASCADE,
    used_at INTEGER
);
CREATE INDEX home_refresh_tokens_by_login ON home_refresh_tokens (login_id);
-- Passwords that were tried for an address, whether it is known or not.
CREATE TABLE login_attempts (
    email TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    locked_until INTEGER,
    updated_at INTEGER NOT NULL
);
-- Letters on their way. What they say is written when they are sent, so that no link is kept here.
CREATE TABLE letters (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    email TEXT NOT NULL,
    organization_id TEXT REFERENCES organizations (id),
    user_id TEXT REFERENCES home_users (id) ON DELETE CASCADE,
    group_id TEXT REFERENCES load_groups (id) ON DELETE CASCADE,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    sent_at INTEGER,
    created_at INTEGER NOT NULL
);
CREATE INDEX letters_by_turn ON letters (sent_at, next_at);
CREATE INDEX letters_by_address ON letters (email, created_at);
-- What this server keeps to itself, such as the key that signs access tokens.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
