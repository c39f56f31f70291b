//! From the section `[panel]` to how operators' accounts are kept.

use anyhow::{Result, anyhow};

use super::Config;
use super::config::{LoginProvider, check_key};
use super::portal::times;
use crate::http::Context;
use crate::http::middleware::RateLimit;
use crate::panel::operators::{AccountSettings, PanelLinks, ProviderSettings, Providers};
use crate::store::secrets;

/// The name of the key that seals second factors.
const SECRET_KEY: &str = "panel_secret_key";

impl Config {
    /// Where the panel's pages are: at `/panel` of this address unless it is configured where.
    pub fn panel_links(&self, address: &str) -> PanelLinks {
        let panel = &self.panel;
        let url = match panel.url.as_str() {
            "" => format!("{address}/panel"),
            url => url.trim_end_matches('/').to_owned(),
        };
        PanelLinks { url, invitation: times(panel.invitation_hours, 3_600), reset: times(panel.reset_minutes, 60) }
    }

    /// How operators' accounts are kept; a key that nobody configured is made once and kept in the store.
    pub async fn account_settings(&self, context: &Context) -> Result<AccountSettings> {
        let panel = &self.panel;
        check_key("panel.secret_key", &panel.secret_key)?;
        let is_kept = panel.secret_key.is_empty();
        secrets::log_where_kept("panel.secret_key", is_kept, context.db.url());
        let now = context.clock.now();
        let secret_key = match is_kept {
            true => context.db.write(move |conn| secrets::keep(conn, SECRET_KEY, now)).await?,
            false => panel.secret_key.clone(),
        };
        Ok(AccountSettings {
            login: times(panel.login_days, 24 * 3_600),
            unused: times(panel.login_hours, 3_600),
            secret_key,
            rate: RateLimit { per_second: panel.rate_per_second, burst: panel.rate_burst },
            providers: Providers::new(self.login_providers().map_err(|error| anyhow!(error))?)?,
        })
    }

    /// Who operators may log in by; a wrong setting is named.
    pub fn login_providers(&self) -> Result<Vec<ProviderSettings>, String> {
        let mut all = Vec::with_capacity(self.oidc.len());
        for (id, provider) in &self.oidc {
            let LoginProvider { name, issuer, client_id, client_secret, scopes } = provider.clone();
            let name = if name.is_empty() { id.clone() } else { name };
            let settings = ProviderSettings { id: id.clone(), name, issuer, client_id, client_secret, scopes };
            match settings.fault() {
                None => all.push(settings),
                Some(("", fault)) => return Err(format!("oidc.{id}: {fault}")),
                Some((option, fault)) => return Err(format!("oidc.{id}.{option} {fault}")),
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const GOOD: &str =
        "[oidc.keycloak]\nissuer = \"https://login.example.com/realms/depot\"\nclient_id = \"evenwatt\"\n";

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let mut kept = tempfile::NamedTempFile::new().expect("a file");
        kept.write_all(file.as_bytes()).expect("written");
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Config::load(Some(kept.path()), variables)
    }

    #[test]
    fn providers_are_read_from_file_environment_and_files_of_secrets() {
        let mut secret = tempfile::NamedTempFile::new().expect("a file");
        secret.write_all(b"s3cret\n").expect("written");
        let path = secret.path().to_str().expect("a path");
        let google = "https://accounts.google.com";
        let config = load(
            GOOD,
            &[
                ("EVENWATT_OIDC_KEYCLOAK_CLIENT_SECRET_FILE", path),
                ("EVENWATT_OIDC_KEYCLOAK_NAME", "Our login"),
                ("EVENWATT_OIDC_GOOGLE_ISSUER", google),
                ("EVENWATT_OIDC_GOOGLE_CLIENT_ID", "1.apps"),
                ("EVENWATT_OIDC_GOOGLE_CLIENT_SECRET", "another"),
                ("EVENWATT_OIDC_GOOGLE_SCOPES", "openid email"),
            ],
        );
        let config = config.expect("a configuration");
        let all = config.login_providers().expect("providers");
        let read: Vec<_> = all
            .iter()
            .map(|one| [&*one.id, &*one.name, &*one.issuer, &*one.client_id, &*one.client_secret, &*one.scopes])
            .collect();
        let depot = "https://login.example.com/realms/depot";
        let expected = [
            ["google", "google", google, "1.apps", "another", "openid email"],
            ["keycloak", "Our login", depot, "evenwatt", "s3cret", "openid email profile"],
        ];
        assert_eq!(read, expected);
        let shown = format!("{config:?}");
        assert!(shown.contains(depot) && !shown.contains("s3cret") && !shown.contains("another"), "{shown}");
        assert!(load("", &[]).expect("a configuration").login_providers().expect("none").is_empty());
    }

    #[test]
    fn a_wrong_provider_stops_the_start_and_is_named() {
        let with = |option: &str, text: &str| {
            let name = format!("EVENWATT_OIDC_KEYCLOAK_{option}");
            let mut variables = vec![("EVENWATT_OIDC_KEYCLOAK_CLIENT_SECRET", "s3cret")];
            variables.push((name.as_str(), text));
            load(GOOD, &variables).expect_err("wrong")
        };
        for issuer in [
            "",
            "login.example.com",
            "http://login.example.com",
            "https://login.example.com/?x=1",
            "https://me@login.example.com",
            "file:///etc/passwd",
        ] {
            let error = with("ISSUER", issuer);
            assert!(error.starts_with("oidc.keycloak.issuer must be"), "{error}");
        }
        assert_eq!(with("CLIENT_ID", " "), "oidc.keycloak.client_id is missing");
        assert_eq!(with("CLIENT_SECRET", ""), "oidc.keycloak.client_secret is missing");
        assert_eq!(with("SCOPES", "email"), "oidc.keycloak.scopes must have openid among them");
        assert!(with("NAME", &"x".repeat(61)).starts_with("oidc.keycloak.name must"), "it is too long");
        assert!(with("COLOUR", "red").contains("EVENWATT_OIDC_KEYCLOAK_COLOUR names no option"));
        assert_eq!(load(GOOD, &[]).expect_err("no secret"), "oidc.keycloak.client_secret is missing");
        let error = load("", &[("EVENWATT_OIDC_ISSUER", "x")]).expect_err("no id");
        assert!(error.contains("EVENWATT_OIDC_ISSUER names no option"), "{error}");
        for (file, named) in [
            (format!("{GOOD}colour = 1\n"), "there is no option oidc.keycloak.colour"),
            (format!("{GOOD}client_secret = 123456\n"), "oidc.keycloak.client_secret must be a text"),
            (GOOD.replace("keycloak", "Our-Login"), "oidc.Our-Login: the id of a provider"),
            ("[oidc]\nissuer = \"x\"\n".to_owned(), "oidc.issuer must be a section"),
        ] {
            let error = load(&file, &[]).expect_err("wrong");
            assert!(error.contains(named) && !error.contains("123456"), "{error}");
        }
    }
}
