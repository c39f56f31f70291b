-- What is stored of passwords that a station was told, and with which it has not connected yet.
ALTER TABLE chargestations ADD COLUMN pending_passwords TEXT NOT NULL DEFAULT '[]';
