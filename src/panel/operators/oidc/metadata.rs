//! What a provider says of itself (OpenID Connect Discovery 1.0): where browsers are sent to, where codes are exchanged, where its keys are.

use reqwest::Url;
use serde::Deserialize;

use super::provider::ProviderSettings;
use super::requests::Request;

/// What is used of a discovery document.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// How the program shows the provider who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    /// By `Authorization: Basic`, as providers do that say nothing.
    Basic,
    /// In the form.
    Post,
}

/// A discovery document that was checked.
#[derive(Debug)]
pub(super) struct Metadata {
    authorization: Url,
    /// Where codes are exchanged.
    pub token: Url,
    /// Where the keys are.
    pub keys: Url,
    /// How the program shows who it is.
    pub authentication: ClientAuthentication,
    /// Whether each answer names its issuer (RFC 9207).
    pub names_issuer: bool,
}

/// What is wrong with a discovery document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum WrongDocument {
    #[error("it is no discovery document: {0}")]
    NoDocument(String),
    #[error("it is that of the issuer \"{0}\"; write that into the configuration, to the letter")]
    OtherIssuer(String),
    #[error("its {0} is no URL that begins with https://")]
    Plain(&'static str),
    #[error("it takes neither client_secret_basic nor client_secret_post")]
    Authentication,
}

/// Whether what is sent to this URL can be read by nobody on the way: over TLS, or without leaving the machine.
pub(super) fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => !host.is_empty(),
        "http" => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    }
}

impl Metadata {
    /// Reads the document of a provider.
    pub(super) fn read(json: &[u8], settings: &ProviderSettings) -> Result<Self, WrongDocument> {
        let document: Document =
            serde_json::from_slice(json).map_err(|error| WrongDocument::NoDocument(error.to_string()))?;
        if document.issuer != settings.issuer {
            let shown = document.issuer.chars().filter(|c| !c.is_control()).take(200);
            return Err(WrongDocument::OtherIssuer(shown.collect()));
        }
        // A provider of the internet does not lead to this machine.
        let is_here = settings.issuer.starts_with("http:");
        let safe = |name, url: &str| {
            let url: Option<Url> = url.parse().ok();
            url.filter(|url| is_safe(url) && (is_here || url.scheme() == "https")).ok_or(WrongDocument::Plain(name))
        };
        let takes = |method: &str| match &document.token_endpoint_auth_methods_supported {
            Some(methods) => methods.iter().any(|one| one == method),
            None => method == "client_secret_basic",
        };
        let authentication = match (takes("client_secret_basic"), takes("client_secret_post")) {
            (true, _) => ClientAuthentication::Basic,
            (false, true) => ClientAuthentication::Post,
            (false, false) => return Err(WrongDocument::Authentication),
        };
        Ok(Self {
            authorization: safe("authorization_endpoint", &document.authorization_endpoint)?,
            token: safe("token_endpoint", &document.token_endpoint)?,
            keys: safe("jwks_uri", &document.jwks_uri)?,
            authentication,
            names_issuer: document.authorization_response_iss_parameter_supported,
        })
    }

    /// Where a browser is sent to with a request.
    pub(super) fn destination(&self, settings: &ProviderSettings, request: &Request, back: &str) -> Url {
        let mut url = self.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", &settings.scopes)
            .append_pair("state", &request.state())
            .append_pair("nonce", &request.nonce())
            .append_pair("code_challenge", &request.challenge())
            .append_pair("code_challenge_method", "S256");
        url
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings() -> ProviderSettings {
        ProviderSettings {
            id: "keycloak".to_owned(),
            name: "Keycloak".to_owned(),
            issuer: "https://login.example.com/realms/depot".to_owned(),
            client_id: "evenwatt".to_owned(),
            client_secret: "secret".to_owned(),
            scopes: "openid email profile".to_owned(),
        }
    }

    fn document(changes: Value) -> Vec<u8> {
        let mut document = json!({
            "issuer": "https://login.example.com/realms/depot",
            "authorization_endpoint": "https://login.example.com/authorize?tenant=1",
            "token_endpoint": "https://login.example.com/token",
            "jwks_uri": "https://login.example.com/keys",
        });
        let changes = changes.as_object().cloned().expect("an object");
        document.as_object_mut().expect("an object").extend(changes);
        document.to_string().into_bytes()
    }

    #[test]
    fn a_document_is_that_of_the_issuer_and_leads_nowhere_in_the_clear() {
        let read = |changes| Metadata::read(&document(changes), &settings()).map(drop);
        assert_eq!(read(json!({})), Ok(()));
        assert_eq!(read(json!({"issuer": "https://login.example.com/realms/depot/"})).map_err(|error| error.to_string()),
            Err("it is that of the issuer \"https://login.example.com/realms/depot/\"; write that into the configuration, to the letter".to_owned()));
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            assert_eq!(read(json!({name: "http://login.example.com/x"})), Err(WrongDocument::Plain(name)));
            assert!(read(json!({name: "javascript:alert(1)"})).is_err());
            assert!(read(json!({name: null})).is_err());
        }
        let plain = json!({"token_endpoint": "http://127.0.0.1:9000/token"});
        assert_eq!(read(plain), Err(WrongDocument::Plain("token_endpoint")));
    }

    #[test]
    fn the_program_shows_who_it_is_as_the_provider_wants() {
        let read = |methods: Value| {
            let read =
                Metadata::read(&document(json!({"token_endpoint_auth_methods_supported": methods})), &settings());
            read.map(|metadata| metadata.authentication)
        };
        assert_eq!(read(Value::Null), Ok(ClientAuthentication::Basic));
        assert_eq!(read(json!(["client_secret_post", "client_secret_basic"])), Ok(ClientAuthentication::Basic));
        assert_eq!(read(json!(["client_secret_post"])), Ok(ClientAuthentication::Post));
        assert_eq!(read(json!(["private_key_jwt"])), Err(WrongDocument::Authentication));
    }

    #[test]
    fn a_browser_is_sent_with_all_that_binds_the_answer() {
        let metadata = Metadata::read(&document(json!({})), &settings()).expect("a document");
        let request = Request::of("secret");
        let url =
            metadata.destination(&settings(), &request, "https://ops.example.com/v1.1/account/oidc/keycloak/callback");
        let expected = format!(
            "https://login.example.com/authorize?tenant=1&response_type=code&client_id=evenwatt\
             &redirect_uri=https%3A%2F%2Fops.example.com%2Fv1.1%2Faccount%2Foidc%2Fkeycloak%2Fcallback\
             &scope=openid+email+profile&state={}&nonce={}&code_challenge={}&code_challenge_method=S256",
            request.state(),
            request.nonce(),
            request.challenge()
        );
        assert_eq!(url.as_str(), expected);
    }
}
