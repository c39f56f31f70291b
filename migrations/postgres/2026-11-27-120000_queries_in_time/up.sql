-- What ends a long query on SQLite (src/db/limit.rs); here statement_timeout does, and this vanishes in planning.
CREATE FUNCTION in_time() RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS 'SELECT true';
