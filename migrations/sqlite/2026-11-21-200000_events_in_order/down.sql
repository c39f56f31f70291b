-- SQLite has one writer: cursors are committed in the order in which they are taken.
SELECT 1;
