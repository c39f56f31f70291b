-- Drivers of the operator's private group see stations that are not visible to everybody.
ALTER TABLE users ADD COLUMN private_group BOOLEAN NOT NULL DEFAULT FALSE;
