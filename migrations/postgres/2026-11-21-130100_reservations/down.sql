DELETE FROM counters WHERE name = 'reservation';
DROP TABLE reservations;
