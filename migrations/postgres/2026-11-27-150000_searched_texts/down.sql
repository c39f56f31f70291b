DROP TRIGGER users_searched ON users;
DROP TRIGGER tokens_searched ON tokens;
DROP TRIGGER chargestations_searched ON chargestations;
DROP TRIGGER sessions_searched ON sessions;
DROP INDEX sessions_by_card;
DROP FUNCTION searched_texts_follow_card();
DROP FUNCTION searched_texts_follow();
DROP FUNCTION searched_text_of(JSONB, TEXT[]);
DROP TABLE searched_texts;
