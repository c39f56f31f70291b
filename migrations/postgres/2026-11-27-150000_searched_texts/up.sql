-- What searches look at: a text of each user, token and charge station, and each card that ever charged, followed by triggers.
CREATE TABLE searched_texts (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    of_id TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (organization_id, kind, of_id)
);
-- The extension is trusted since PostgreSQL 13; where it may not be made, searches look at all texts of an organization.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX searched_trigrams ON searched_texts USING gin (text gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'searches have no index: %', SQLERRM;
END
$$;

-- Columns of a row, a line each; the parts of a name, joined by a plus, share theirs.
CREATE FUNCTION searched_text_of(this JSONB, columns TEXT[]) RETURNS TEXT LANGUAGE sql AS $$
    SELECT lower(string_agg(
        (SELECT string_agg(this ->> part, ' ' ORDER BY place) FROM unnest(string_to_array(name, '+')) WITH ORDINALITY AS parts (part, place)),
        chr(10) ORDER BY number))
    FROM unnest(columns) WITH ORDINALITY AS names (name, number)
$$;
-- Arguments: the kind, then the columns.
CREATE FUNCTION searched_texts_follow() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = TG_ARGV[0] AND of_id = OLD.id;
    ELSE
        INSERT INTO searched_texts (organization_id, kind, of_id, text)
        VALUES (NEW.organization_id, TG_ARGV[0], NEW.id, searched_text_of(to_jsonb(NEW), TG_ARGV[1:]))
        ON CONFLICT (organization_id, kind, of_id) DO UPDATE SET text = EXCLUDED.text WHERE searched_texts.text <> EXCLUDED.text;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION searched_texts_follow_card() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'card' AND of_id = OLD.id_tag AND NOT EXISTS
            (SELECT 1 FROM sessions WHERE organization_id = OLD.organization_id AND id_tag = OLD.id_tag);
    ELSIF NEW.id_tag IS NOT NULL THEN
        INSERT INTO searched_texts (organization_id, kind, of_id, text)
        SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
            (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_searched AFTER INSERT OR DELETE OR UPDATE OF firstname, lastname, email ON users
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('user', 'firstname+lastname', 'email');
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'user', id, searched_text_of(to_jsonb(users), ARRAY['firstname+lastname', 'email']) FROM users;

CREATE TRIGGER tokens_searched AFTER INSERT OR DELETE OR UPDATE OF physical_id, parent_group ON tokens
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('token', 'physical_id', 'parent_group');
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'token', id, searched_text_of(to_jsonb(tokens), ARRAY['physical_id', 'parent_group']) FROM tokens;

CREATE TRIGGER chargestations_searched AFTER INSERT OR DELETE OR UPDATE OF name, code, endpoint, manufacturer, model, boot_vendor, boot_model ON chargestations
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('chargestation', 'name', 'code', 'endpoint', 'manufacturer', 'model', 'boot_vendor', 'boot_model');
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'chargestation', id, searched_text_of(to_jsonb(chargestations), ARRAY['name', 'code', 'endpoint', 'manufacturer', 'model', 'boot_vendor', 'boot_model']) FROM chargestations;

CREATE INDEX sessions_by_card ON sessions (organization_id, id_tag, created_at, id);
CREATE TRIGGER sessions_searched AFTER INSERT OR DELETE OR UPDATE OF id_tag ON sessions
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow_card();
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT DISTINCT organization_id, 'card', id_tag, lower(id_tag) FROM sessions WHERE id_tag IS NOT NULL;
