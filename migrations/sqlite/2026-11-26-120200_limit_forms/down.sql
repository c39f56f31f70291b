ALTER TABLE chargestations DROP COLUMN limit_forms;
