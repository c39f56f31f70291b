-- What a smart meter must be taken for once it is silent: the highest load of each of its last days, as JSON.
ALTER TABLE assets ADD COLUMN peaks JSONB;
-- When its latest reading was received, by our clock.
ALTER TABLE assets ADD COLUMN received_at TIMESTAMPTZ;
