DROP FUNCTION in_time();
