-- `in_time()` is a function of the program here (src/db/limit.rs).
SELECT 1;
