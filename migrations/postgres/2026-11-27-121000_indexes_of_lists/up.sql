-- What lists are sorted and filtered by, so that none looks at more rows than it answers.
CREATE INDEX actions_by_change ON actions (organization_id, updated_at, id);
CREATE INDEX api_keys_by_change ON api_keys (organization_id, updated_at, id);
CREATE INDEX assets_by_change ON assets (organization_id, updated_at, id);
CREATE INDEX chargestations_by_change ON chargestations (organization_id, updated_at, id);
CREATE INDEX connectors_by_change ON connectors (organization_id, updated_at, id);
CREATE INDEX evse_groups_by_change ON evse_groups (organization_id, updated_at, id);
CREATE INDEX evse_networks_by_change ON evse_networks (organization_id, updated_at, id);
CREATE INDEX evses_by_change ON evses (organization_id, updated_at, id);
CREATE INDEX home_users_by_change ON home_users (organization_id, updated_at, id);
CREATE INDEX load_groups_by_change ON load_groups (organization_id, updated_at, id);
CREATE INDEX locations_by_change ON locations (organization_id, updated_at, id);
CREATE INDEX charging_profiles_by_change ON charging_profiles (organization_id, updated_at, id);
CREATE INDEX rate_schedules_by_change ON rate_schedules (organization_id, updated_at, id);
CREATE INDEX rates_by_change ON rates (organization_id, updated_at, id);
CREATE INDEX reservations_by_change ON reservations (organization_id, updated_at, id);
CREATE INDEX service_offers_by_change ON service_offers (organization_id, updated_at, id);
CREATE INDEX sessions_by_change ON sessions (organization_id, updated_at, id);
CREATE INDEX configuration_templates_by_change ON configuration_templates (organization_id, updated_at, id);
CREATE INDEX tokens_by_change ON tokens (organization_id, updated_at, id);
CREATE INDEX users_by_change ON users (organization_id, updated_at, id);
CREATE INDEX webhooks_by_change ON webhooks (organization_id, updated_at, id);
CREATE INDEX priority_charges_by_change ON priority_charges (group_id, updated_at, id);
CREATE INDEX webhook_deliveries_by_change ON webhook_deliveries (webhook_id, updated_at, id);
CREATE INDEX sessions_by_status ON sessions (organization_id, status, created_at, id);
CREATE INDEX sessions_by_user ON sessions (organization_id, user_id, created_at, id);
CREATE INDEX sessions_listed_by_station ON sessions (organization_id, chargestation_id, created_at, id);
CREATE INDEX sessions_listed_by_connector ON sessions (organization_id, connector_id, created_at, id);
CREATE INDEX sessions_by_start ON sessions (organization_id, started_at, id);
CREATE INDEX sessions_by_energy ON sessions (organization_id, energy, id);
CREATE INDEX sessions_orphans ON sessions (chargestation_id, created_at) WHERE orphan;
CREATE INDEX meter_values_by_session ON meter_values (session_id, at) WHERE session_id IS NOT NULL;
CREATE INDEX events_by_type ON events (organization_id, type, cursor);
CREATE INDEX actions_by_type ON actions (organization_id, type, created_at, id);
CREATE INDEX actions_by_status ON actions (organization_id, status, created_at, id);
CREATE INDEX reservations_by_status ON reservations (organization_id, status, created_at, id);
CREATE INDEX webhook_deliveries_by_type ON webhook_deliveries (webhook_id, type, created_at, id);
-- Searches for a part of a text. The extension is trusted since PostgreSQL 13; where it may not be made, searches look at all rows.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX sessions_search ON sessions USING gin (lower(id_tag) gin_trgm_ops);
    CREATE INDEX reservations_search ON reservations USING gin (lower(id_tag) gin_trgm_ops);
    CREATE INDEX users_search ON users USING gin (lower(email) gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'searches have no index: %', SQLERRM;
END
$$;
