-- The link by which a driver logs in once; the next one to the same address replaces it.
CREATE TABLE driver_links (
    email TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE, -- of the secret in the link
    expires_at TIMESTAMPTZ NOT NULL
);

-- Logins of drivers. A login proves an address: whose it is in which organization is looked up at each request.
CREATE TABLE driver_logins (
    hash TEXT PRIMARY KEY, -- of the secret in the browser's cookie
    email TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX driver_logins_by_email ON driver_logins (email, created_at);
