ALTER TABLE chargestations DROP COLUMN pending_passwords;
