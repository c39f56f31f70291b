//! Operators log in by OpenID Connect: a provider with real keys, browsers that go there and back, and those who try to get in between.

mod attacks;
mod logins;
mod provider;
mod tokens;

use reqwest::Url;
use reqwest::redirect::Policy;

use super::browser::Browser;
use crate::support::{Answer, TestApp};
use provider::FakeProvider;

/// A server that knows these providers by these ids.
async fn app_with(providers: &[(&str, &FakeProvider)]) -> TestApp {
    let mut options = vec![("EVENWATT_PANEL_RATE_BURST".to_owned(), "100000".to_owned())];
    for (id, provider) in providers {
        options.extend(provider.options(id));
    }
    let options: Vec<_> = options.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    TestApp::start_with(&options).await
}

/// A browser that shows where it is led, and goes nowhere by itself.
fn browser(app: &TestApp) -> Browser {
    let mut browser = Browser::new(app);
    let client = reqwest::Client::builder().tls_certs_only([]).redirect(Policy::none());
    browser.client.http = client.build().expect("a client");
    browser
}

/// Where an answer leads to.
fn location(answer: &Answer) -> String {
    answer.headers["location"].to_str().expect("a text").to_owned()
}

/// The cookie of this name that an answer sets, as it is set.
fn set_cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter().map(|header| header.to_str().expect("a text").to_owned());
    all.into_iter().find(|header| header.starts_with(&format!("{name}=")))
}

/// A cookie as it is sent back.
fn sent(set: &str) -> String {
    set.split(';').next().expect("a name and a value").to_owned()
}

/// A login that was begun: where the browser was sent to, and what it keeps.
struct Begun {
    to: Url,
    cookie: String,
}

/// Presses the button of a provider.
async fn begin(app: &TestApp, id: &str) -> Begun {
    let answer = browser(app).get(&format!("/account/oidc/{id}")).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let cookie = sent(&set_cookie(&answer, "evenwatt_oidc").expect("a cookie"));
    Begun { to: location(&answer).parse().expect("a URL"), cookie }
}

/// Comes back from a provider with this query.
async fn come_back(app: &TestApp, id: &str, cookie: &str, query: &str) -> Answer {
    let browser = Browser { cookie: cookie.to_owned(), ..browser(app) };
    let answer = browser.get(&format!("/account/oidc/{id}/callback?{query}")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (303, ""), "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

/// The browser of somebody whom an answer has logged in.
#[track_caller]
fn came_in(app: &TestApp, answer: &Answer) -> Browser {
    assert_eq!(location(answer), "/panel");
    let cookie = sent(&set_cookie(answer, "evenwatt_session").expect("a login"));
    Browser { cookie, ..browser(app) }
}

/// The word with which an answer logs nobody in.
#[track_caller]
fn refused(answer: &Answer) -> String {
    assert_eq!(set_cookie(answer, "evenwatt_session"), None, "nobody is logged in");
    let location = location(answer);
    location.strip_prefix("/panel?login_error=").unwrap_or_else(|| panic!("{location}")).to_owned()
}
