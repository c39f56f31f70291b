//! Certificates that are renewed while the server runs: new connections get the new one, and a broken pair changes nothing.

use std::time::Duration;

use crate::support::{Pki, TestApp, eventually};

/// Longer than a look at the files is put off.
const A_LOOK: Duration = Duration::from_secs(61);

/// Whether a station that trusts this authority comes in, with a certificate of it or without.
async fn comes_in(app: &TestApp, endpoint: &str, trusted: &Pki, own: Option<&(String, String)>) -> bool {
    let place = (app.running.tls_address.expect("TLS"), "ocpp1.6");
    trusted.boot(place, endpoint, own).await.is_ok()
}

#[actix_web::test]
async fn renewed_certificates_and_authorities_are_used_without_a_restart() {
    let (old, new) = (Pki::new(), Pki::new());
    let app = old.server().await;
    let station = app.station("Renewed").await;
    let (of_old, of_new) = (old.client("S"), new.client("S"));
    assert!(comes_in(&app, &station.endpoint, &old, Some(&of_old)).await);
    assert!(!comes_in(&app, &station.endpoint, &new, None).await);
    assert!(!comes_in(&app, &station.endpoint, &old, Some(&of_new)).await, "nobody that is known signed it");

    new.replace(&old, &["server.pem", "server.key", "ca.pem"]);
    app.pass(A_LOOK).await;
    assert!(comes_in(&app, &station.endpoint, &new, Some(&of_new)).await);
    assert!(!comes_in(&app, &station.endpoint, &old, None).await);
    assert!(!comes_in(&app, &station.endpoint, &new, Some(&of_old)).await, "its authority is not known any more");
}

#[actix_web::test]
async fn a_pair_that_does_not_fit_is_refused_and_the_one_before_stays() {
    let (old, new) = (Pki::new(), Pki::new());
    let app = old.server().await;
    let station = app.station("Half renewed").await;
    new.replace(&old, &["server.pem", "ca.pem"]);
    app.pass(A_LOOK).await;
    assert!(comes_in(&app, &station.endpoint, &old, Some(&old.client("S"))).await, "certificate and authorities stay");
    assert!(!comes_in(&app, &station.endpoint, &new, None).await);

    new.replace(&old, &["server.key"]);
    app.pass(A_LOOK).await;
    assert!(comes_in(&app, &station.endpoint, &new, None).await);
}

#[actix_web::test]
async fn a_signal_has_them_read_at_once() {
    let (old, new) = (Pki::new(), Pki::new());
    let app = old.server().await;
    let station = app.station("Signalled").await;
    new.replace(&old, &["server.pem", "server.key", "ca.pem"]);
    assert!(comes_in(&app, &station.endpoint, &old, None).await, "nobody has looked yet");
    let own = std::process::id().to_string();
    let sent = std::process::Command::new("kill").args(["-HUP", &own]).status().expect("kill");
    assert!(sent.success());
    eventually(async || comes_in(&app, &station.endpoint, &new, None).await).await;
}
