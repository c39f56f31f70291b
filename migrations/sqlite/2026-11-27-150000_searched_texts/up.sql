-- What searches look at: a text of each user, token and charge station, and each card that ever charged, followed by triggers.
-- A migration that builds one of these tables anew makes its triggers anew too.
CREATE TABLE searched_texts (
    number INTEGER PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    of_id TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (organization_id, kind, of_id)
);
CREATE VIRTUAL TABLE searched_trigrams USING fts5 (text, content = 'searched_texts', content_rowid = 'number', tokenize = 'trigram');
CREATE TRIGGER searched_texts_insert AFTER INSERT ON searched_texts BEGIN
    INSERT INTO searched_trigrams (rowid, text) VALUES (NEW.number, NEW.text);
END;
CREATE TRIGGER searched_texts_delete AFTER DELETE ON searched_texts BEGIN
    INSERT INTO searched_trigrams (searched_trigrams, rowid, text) VALUES ('delete', OLD.number, OLD.text);
END;
CREATE TRIGGER searched_texts_update AFTER UPDATE OF text ON searched_texts BEGIN
    INSERT INTO searched_trigrams (searched_trigrams, rowid, text) VALUES ('delete', OLD.number, OLD.text);
    INSERT INTO searched_trigrams (rowid, text) VALUES (NEW.number, NEW.text);
END;

CREATE TRIGGER users_searched_insert AFTER INSERT ON users BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'user', NEW.id, lower(concat_ws(char(10), NEW.firstname || ' ' || NEW.lastname, NEW.email)));
END;
CREATE TRIGGER users_searched_update AFTER UPDATE OF firstname, lastname, email ON users BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.firstname || ' ' || NEW.lastname, NEW.email))
    WHERE organization_id = NEW.organization_id AND kind = 'user' AND of_id = NEW.id;
END;
CREATE TRIGGER users_searched_delete AFTER DELETE ON users BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'user' AND of_id = OLD.id;
END;
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'user', id, lower(concat_ws(char(10), firstname || ' ' || lastname, email)) FROM users;

CREATE TRIGGER tokens_searched_insert AFTER INSERT ON tokens BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'token', NEW.id, lower(concat_ws(char(10), NEW.physical_id, NEW.parent_group)));
END;
CREATE TRIGGER tokens_searched_update AFTER UPDATE OF physical_id, parent_group ON tokens BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.physical_id, NEW.parent_group))
    WHERE organization_id = NEW.organization_id AND kind = 'token' AND of_id = NEW.id;
END;
CREATE TRIGGER tokens_searched_delete AFTER DELETE ON tokens BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'token' AND of_id = OLD.id;
END;
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'token', id, lower(concat_ws(char(10), physical_id, parent_group)) FROM tokens;

CREATE TRIGGER chargestations_searched_insert AFTER INSERT ON chargestations BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'chargestation', NEW.id, lower(concat_ws(char(10), NEW.name, NEW.code, NEW.endpoint, NEW.manufacturer, NEW.model, NEW.boot_vendor, NEW.boot_model)));
END;
CREATE TRIGGER chargestations_searched_update AFTER UPDATE OF name, code, endpoint, manufacturer, model, boot_vendor, boot_model ON chargestations BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.name, NEW.code, NEW.endpoint, NEW.manufacturer, NEW.model, NEW.boot_vendor, NEW.boot_model))
    WHERE organization_id = NEW.organization_id AND kind = 'chargestation' AND of_id = NEW.id;
END;
CREATE TRIGGER chargestations_searched_delete AFTER DELETE ON chargestations BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'chargestation' AND of_id = OLD.id;
END;
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT organization_id, 'chargestation', id, lower(concat_ws(char(10), name, code, endpoint, manufacturer, model, boot_vendor, boot_model)) FROM chargestations;

CREATE INDEX sessions_by_card ON sessions (organization_id, id_tag, created_at, id);
CREATE TRIGGER sessions_searched_insert AFTER INSERT ON sessions WHEN NEW.id_tag IS NOT NULL BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
        (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag);
END;
CREATE TRIGGER sessions_searched_update AFTER UPDATE OF id_tag ON sessions WHEN NEW.id_tag IS NOT NULL BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
        (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag);
END;
CREATE TRIGGER sessions_searched_delete AFTER DELETE ON sessions WHEN OLD.id_tag IS NOT NULL BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'card' AND of_id = OLD.id_tag AND NOT EXISTS
        (SELECT 1 FROM sessions WHERE organization_id = OLD.organization_id AND id_tag = OLD.id_tag);
END;
INSERT INTO searched_texts (organization_id, kind, of_id, text)
SELECT DISTINCT organization_id, 'card', id_tag, lower(id_tag) FROM sessions WHERE id_tag IS NOT NULL;
