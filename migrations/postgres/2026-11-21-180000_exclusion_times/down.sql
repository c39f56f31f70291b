DROP INDEX load_groups_by_user;
ALTER TABLE load_groups DROP COLUMN exclusion_times;
ALTER TABLE load_groups DROP COLUMN user_id;
