-- What an organization shows of itself, and who may make organizations.
ALTER TABLE organizations ADD COLUMN support_contact TEXT; -- {email, phone, url}
ALTER TABLE organizations ADD COLUMN address TEXT; -- as of a location
ALTER TABLE organizations ADD COLUMN logo_hash TEXT; -- of the bytes in organization_logos

CREATE TABLE organization_logos (
    organization_id TEXT PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    media_type TEXT NOT NULL, -- image/png, image/jpeg or image/webp
    hash TEXT NOT NULL, -- SHA-256 of the bytes
    bytes BLOB NOT NULL,
    updated_at INTEGER NOT NULL
);

ALTER TABLE operator_accounts ADD COLUMN installation_admin BOOLEAN NOT NULL DEFAULT FALSE;
