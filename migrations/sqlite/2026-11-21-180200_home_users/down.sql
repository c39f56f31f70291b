DROP TABLE secrets;
DROP TABLE letters;
DROP TABLE login_attempts;
DROP TABLE home_refresh_tokens;
DROP TABLE home_logins;
DROP TABLE home_links;
DROP INDEX users_by_email;
DROP TABLE home_users;
