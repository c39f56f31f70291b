-- What a car means to draw, in its station's own words.
ALTER TABLE sessions ADD COLUMN car_schedule JSONB;
