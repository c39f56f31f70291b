ALTER TABLE sessions DROP COLUMN car_schedule;
