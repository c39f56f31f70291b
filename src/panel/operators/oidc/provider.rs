//! A provider: its settings, what is known of it at this instant, and the exchange of a code for an ID token.
//!
//! Every answer has a bound of time and of size, none is asked for again and again, and a redirect is no answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::id_token::{Claims, Expected, WrongToken, verify};
use super::metadata::{ClientAuthentication, Metadata, WrongDocument, is_safe};
use super::requests::Request;
use clock::SharedClock;
use kernel::Timestamp;

/// How long one answer may take: somebody is waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the largest answer: keys with their certificates are some tens of thousands.
const LARGEST: usize = 262_144;
/// How long a document and keys are used: what the provider takes back is gone within this time.
const USED_FOR: Duration = Duration::from_secs(3_600);
/// Keys are asked for again because of one that is unknown where they are older than this.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A provider that did not answer is left alone for so long: waiting logins would only queue up.
const PAUSE: Duration = Duration::from_secs(5);

/// Longest id and name.
const LONGEST_ID: usize = 30;
const LONGEST_NAME: usize = 60;

/// A provider, as it is configured.
#[derive(Clone)]
pub struct ProviderSettings {
    /// What it is called in addresses.
    pub id: String,
    /// What stands on its button.
    pub name: String,
    /// Who signs: where the discovery document is.
    pub issuer: String,
    /// What the provider calls this program.
    pub client_id: String,
    /// How this program proves that.
    pub client_secret: String,
    /// What is asked for.
    pub scopes: String,
}

impl ProviderSettings {
    /// What is wrong with them: the option, and what it must be.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if self.id.is_empty() || self.id.len() > LONGEST_ID || !self.id.chars().all(plain) {
            return Some(("", format!("the id of a provider is of at most {LONGEST_ID} small letters and digits")));
        }
        if self.name.trim().is_empty() || self.name.chars().count() > LONGEST_NAME {
            return Some(("name", format!("must have from 1 to {LONGEST_NAME} letters")));
        }
        let issuer: Option<Url> = self.issuer.parse().ok();
        let is_bare = |url: &Url| {
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
        };
        if !issuer.is_some_and(|url| is_safe(&url) && is_bare(&url)) {
            let must = "must be the issuer's URL, such as https://login.example.com/realms/depot";
            return Some(("issuer", must.to_owned()));
        }
        for (option, text) in [("client_id", &self.client_id), ("client_secret", &self.client_secret)] {
            if text.trim().is_empty() {
                return Some((option, "is missing".to_owned()));
            }
        }
        if !self.scopes.split(' ').any(|scope| scope == "openid") {
            return Some(("scopes", "must have openid among them".to_owned()));
        }
        None
    }
}

/// Why a provider cannot be used now. None of it shows a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("it does not answer: {0}")]
    Silent(String),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer has more than {LARGEST} bytes")]
    TooLarge,
    #[error("its answer is not what it should be: {0}")]
    Unreadable(String),
    #[error("its discovery document: {0}")]
    Document(#[from] WrongDocument),
    #[error("it did not answer a moment ago")]
    Resting,
}

impl From<reqwest::Error> for Unavailable {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let (mut text, mut cause) = (error.to_string(), std::error::Error::source(&error));
        while let Some(error) = cause {
            text.push_str(&format!(": {error}")); // reqwest's own words say only that it could not be sent
            cause = error.source();
        }
        Self::Silent(text)
    }
}

/// Why a code brought nobody in.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeFault {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("the provider refused the code: {0}")]
    Code(String),
    #[error("the ID token: {0}")]
    Token(#[from] WrongToken),
}

/// What is known of a provider, and when it was asked.
struct Known<T> {
    read: Option<(Arc<T>, Timestamp)>,
    failed_at: Option<Timestamp>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { read: None, failed_at: None }
    }
}

impl<T> Known<T> {
    /// What is known, where it is not older than this; else it is asked for.
    async fn get(
        &mut self,
        clock: &SharedClock,
        used_for: Duration,
        ask: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<Arc<T>, Unavailable> {
        // Those who waited meanwhile for an answer that did not come do not ask again, each in turn.
        let now = clock.now();
        if let Some((known, at)) = &self.read
            && now.since(*at) < used_for
        {
            return Ok(Arc::clone(known));
        }
        if self.failed_at.is_some_and(|at| now.since(at) < PAUSE) {
            return Err(Unavailable::Resting);
        }
        match ask.await {
            Ok(read) => {
                let read = Arc::new(read);
                self.read = Some((Arc::clone(&read), now));
                self.failed_at = None;
                Ok(read)
            }
            Err(error) => {
                self.failed_at = Some(clock.now());
                Err(error)
            }
        }
    }
}

/// A provider that browsers are sent to.
pub(super) struct Provider {
    pub settings: ProviderSettings,
    client: reqwest::Client,
    metadata: Mutex<Known<Metadata>>,
    keys: Mutex<Known<JwkSet>>,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// What it answers where it refuses.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Provider {
    fn new(settings: ProviderSettings, client: reqwest::Client) -> Self {
        Self { settings, client, metadata: Mutex::default(), keys: Mutex::default() }
    }

    /// What the provider says of itself.
    pub(super) async fn metadata(&self, clock: &SharedClock) -> Result<Arc<Metadata>, Unavailable> {
        let ask = async {
            let url = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
            let (status, body) = exchange(self.client.get(url)).await?;
            match status {
                200 => Ok(Metadata::read(&body, &self.settings)?),
                other => Err(Unavailable::Status(other)),
            }
        };
        self.metadata.lock().await.get(clock, USED_FOR, ask).await
    }

    /// Its keys, none older than this.
    async fn keys(&self, url: &Url, clock: &SharedClock, used_for: Duration) -> Result<Arc<JwkSet>, Unavailable> {
        let ask = async {
            let (status, body) = exchange(self.client.get(url.clone())).await?;
            match status {
                200 => serde_json::from_slice(&body).map_err(|error| Unavailable::Unreadable(error.to_string())),
                other => Err(Unavailable::Status(other)),
            }
        };
        self.keys.lock().await.get(clock, used_for, ask).await
    }

    /// Exchanges a code, and answers what the ID token says of the person.
    pub(super) async fn exchange(
        &self,
        (code, back): (&str, &str),
        request: &Request,
        clock: &SharedClock,
    ) -> Result<Claims, ExchangeFault> {
        let metadata = self.metadata(clock).await?;
        let token = self.id_token(&metadata, (code, back), request).await?;
        let nonce = request.nonce();
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: &nonce,
            now: clock.now().unix_seconds(),
        };
        let keys = self.keys(&metadata.keys, clock, USED_FOR).await?;
        match verify(&token, &keys, &expected) {
            Err(WrongToken::UnknownKey) => {
                let keys = self.keys(&metadata.keys, clock, KEYS_AGAIN_AFTER).await?;
                Ok(verify(&token, &keys, &expected)?)
            }
            verified => Ok(verified?),
        }
    }

    async fn id_token(
        &self,
        metadata: &Metadata,
        (code, back): (&str, &str),
        request: &Request,
    ) -> Result<String, ExchangeFault> {
        let ProviderSettings { client_id, client_secret, .. } = &self.settings;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", &request.verifier());
        let mut post = self.client.post(metadata.token.clone());
        match metadata.authentication {
            // RFC 6749, section 2.3.1: both are written as in a form first.
            ClientAuthentication::Basic => post = post.basic_auth(encoded(client_id), Some(encoded(client_secret))),
            ClientAuthentication::Post => {
                form.append_pair("client_id", client_id).append_pair("client_secret", client_secret);
            }
        }
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form.finish());
        let (status, body) = exchange(post).await?;
        if status == 200 {
            // Not the error's own words, which may repeat the answer.
            let tokens = serde_json::from_slice::<Tokens>(&body);
            let tokens = tokens.map_err(|_| Unavailable::Unreadable("there is no ID token in it".to_owned()))?;
            return Ok(tokens.id_token);
        }
        match serde_json::from_slice::<Refused>(&body) {
            Ok(Refused { error }) if error == "invalid_grant" => Err(ExchangeFault::Code(error)),
            Ok(Refused { error }) => Err(Unavailable::Unreadable(format!("{status} {}", printable(&error))).into()),
            Err(_) => Err(Unavailable::Status(status).into()),
        }
    }
}

/// A text as a form has it.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// A word of somebody else as it may stand in a log.
pub(super) fn printable(word: &str) -> String {
    word.chars().filter(char::is_ascii_graphic).take(60).collect()
}

/// The status and the body of an answer.
async fn exchange(request: RequestBuilder) -> Result<(u16, Vec<u8>), Unavailable> {
    let mut response = request.header(ACCEPT, "application/json").send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Unavailable::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status().as_u16(), body))
}

/// All providers by their ids; cheap to clone.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<String, Provider>>);

impl Providers {
    /// Those of the configuration.
    pub fn new(settings: Vec<ProviderSettings>) -> Result<Self, reqwest::Error> {
        if settings.is_empty() {
            return Ok(Self::default());
        }
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("Evenwatt/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let each = settings.into_iter();
        Ok(Self(Arc::new(each.map(|one| (one.id.clone(), Provider::new(one, client.clone()))).collect())))
    }

    /// Asks each what it says of itself, all at once, and answers why one cannot be used.
    pub async fn look_at_each(&self, clock: &SharedClock, within: Duration) -> Vec<(String, Result<(), String>)> {
        let looks = self.0.iter().map(|(id, provider)| async move {
            let outcome = match tokio::time::timeout(within, provider.metadata(clock)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("it does not answer".to_owned()),
            };
            (id.clone(), outcome)
        });
        futures_util::future::join_all(looks).await
    }

    /// The provider with this id.
    pub(super) fn find(&self, id: &str) -> Option<&Provider> {
        self.0.get(id)
    }
}
