//! What a start would refuse of the configuration, without starting anything.

use std::net::ToSocketAddrs as _;

use super::config::check_key;
use super::{Config, gateway_settings, pages, tls};

impl Config {
    /// A sentence for each fault, besides those with which it is not even loaded. Certificates are not looked at.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let (http, panel) = (&self.http, &self.panel);
        let addresses = [
            ("http.listen", &http.listen),
            ("http.metrics_listen", &http.metrics_listen),
            ("tls.listen", &self.tls.listen),
        ];
        for (option, listen) in addresses {
            if let Err(error) = listen.to_socket_addrs()
                && (!listen.is_empty() || option == "http.listen")
            {
                faults.push(format!("{option} is \"{listen}\": {error}"));
            }
        }
        let others = [
            check_key("portal.signing_key", &self.portal.signing_key),
            check_key("panel.secret_key", &panel.secret_key),
            self.webhook_settings().map(drop),
            self.mail_settings().map(drop),
            gateway_settings(&self.ocpp).map(drop),
            pages::settings::Settings::read(self).map(drop),
            tls::authority(&self.tls).map(drop),
        ];
        faults.extend(others.into_iter().filter_map(|outcome| Some(format!("{:#}", outcome.err()?))));
        faults
    }
}
