//! A provider as OpenID Connect describes one, with keys of its own: it binds each code to a client, an address and a verifier, and
//! gives out whatever ID token a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const CLIENT: &str = "evenwatt";
/// With letters that a form writes in another way.
pub const SECRET: &str = "s3cret: of & the client";

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One key of each kind for all tests of a process: an RSA key takes a while.
static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));

pub fn elliptic_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
}

/// The public half of a key, as a set of keys has it.
pub fn public_elliptic(key: &EcdsaKeyPair, id: &str) -> Value {
    let point = key.public_key().as_ref(); // 4, x, y
    assert_eq!((point.len(), point[0]), (65, 4));
    json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
}

pub fn public_rsa(id: &str) -> Value {
    // RFC 8017: a sequence of the modulus, here of 257 bytes, since its first bit is set, and the exponent 65537.
    let der = RSA.public_key().as_ref();
    let (modulus, exponent) = (&der[9..9 + 256], &der[der.len() - 3..]);
    assert_eq!((&der[4..9], exponent), (&[2, 0x82, 1, 1, 0][..], &[1, 0, 1][..]), "{der:?}");
    json!({"kty": "RSA", "use": "sig", "kid": id, "n": base64url(modulus), "e": base64url(exponent)})
}

/// The public RSA key as some programs write it into a file: what a confused verifier would take for a shared secret.
pub fn public_rsa_der() -> Vec<u8> {
    AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(RSA.public_key()).expect("a key").as_ref().to_vec()
}

/// How a token is signed.
pub enum Signing<'a> {
    Es256(&'a EcdsaKeyPair),
    Rs256,
    Ps256,
    Hs256(&'a [u8]),
    /// With these bytes instead.
    Bytes(&'a [u8]),
}

/// A token of these parts.
pub fn token(header: &Value, claims: &Value, signing: &Signing<'_>) -> String {
    let content = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    let (random, bytes) = (SystemRandom::new(), content.as_bytes());
    let rsa = |padding| {
        let mut signature = vec![0; RSA.public_modulus_len()];
        RSA.sign(padding, &random, bytes, &mut signature).expect("a signature");
        signature
    };
    let signature = match signing {
        Signing::Es256(key) => key.sign(&random, bytes).expect("a signature").as_ref().to_vec(),
        Signing::Rs256 => rsa(&RSA_PKCS1_SHA256),
        Signing::Ps256 => rsa(&RSA_PSS_SHA256),
        Signing::Hs256(secret) => {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key");
            mac.update(bytes);
            mac.finalize().into_bytes().to_vec()
        }
        Signing::Bytes(bytes) => bytes.to_vec(),
    };
    format!("{content}.{}", base64url(signature))
}

/// What a code is good for.
struct Grant {
    back: String,
    challenge: String,
    token: String,
}

/// What a test changes of a provider.
#[derive(Default)]
pub struct State {
    /// The set of keys.
    pub keys: Vec<Value>,
    /// How often it was read.
    pub keys_read: usize,
    /// How often the discovery document was read.
    pub document_read: usize,
    /// Beside or in place of what the discovery document says.
    pub document: Value,
    /// Answers to every request.
    pub broken: Option<(u16, String)>,
    /// Whether a code is given to who has the wrong verifier, as by providers that know no PKCE.
    pub ignores_pkce: bool,
    /// What the last exchange was authenticated with.
    pub authentication: String,
    grants: BTreeMap<String, Grant>,
}

/// The provider; it stops with its test.
pub struct FakeProvider {
    pub issuer: String,
    pub key: EcdsaKeyPair,
    state: Arc<Mutex<State>>,
    handle: ServerHandle,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

type Shared = web::Data<Mutex<State>>;

impl FakeProvider {
    pub async fn start() -> Self {
        let key = elliptic_key();
        let keys = vec![public_elliptic(&key, "first")];
        let state = Arc::new(Mutex::new(State { keys, document: json!({}), ..State::default() }));
        let shared = web::Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/.well-known/openid-configuration", web::get().to(document))
                .route("/keys", web::get().to(keys_of))
                .route("/token", web::post().to(exchange))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
        let issuer = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { issuer, key, state, handle }
    }

    /// What a server under test must be configured with to know it by this id.
    pub fn options(&self, id: &str) -> Vec<(String, String)> {
        let option = |name: &str| format!("EVENWATT_OIDC_{}_{name}", id.to_uppercase());
        vec![
            (option("ISSUER"), self.issuer.clone()),
            (option("CLIENT_ID"), CLIENT.to_owned()),
            (option("CLIENT_SECRET"), SECRET.to_owned()),
        ]
    }

    /// Changes it.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("no test panicked here"))
    }

    /// The claims of a person's token for a browser that was sent here, at this second.
    pub fn claims(&self, to: &Url, person: &Value, now: i64) -> Value {
        let nonce = parameter(to, "nonce");
        let mut claims = json!({"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce});
        let fields = claims.as_object_mut().expect("an object");
        fields.extend(person.as_object().cloned().expect("an object"));
        claims
    }

    /// Lets a person in whose browser was sent here: the query with which it is sent back.
    pub fn approve(&self, to: &Url, person: &Value, now: i64) -> String {
        let token =
            token(&json!({"alg": "ES256", "kid": "first"}), &self.claims(to, person, now), &Signing::Es256(&self.key));
        self.answer(to, token)
    }

    /// The same with this token.
    pub fn answer(&self, to: &Url, token: String) -> String {
        assert!(to.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{to}");
        assert_eq!(
            (parameter(to, "response_type"), parameter(to, "code_challenge_method")),
            ("code".into(), "S256".into())
        );
        assert_eq!(parameter(to, "client_id"), CLIENT);
        let (back, challenge) = (parameter(to, "redirect_uri"), parameter(to, "code_challenge"));
        self.change(|state| {
            let code = format!("code-{}", state.grants.len());
            state.grants.insert(code.clone(), Grant { back, challenge, token });
            format!("code={code}&state={}&session_state=1", parameter(to, "state"))
        })
    }
}

/// A parameter of a URL.
pub fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

fn broken(state: &State) -> Option<HttpResponse> {
    let (status, body) = state.broken.clone()?;
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
    Some(HttpResponse::build(status).insert_header(("location", "/keys")).body(body))
}

async fn document(request: HttpRequest, state: Shared) -> HttpResponse {
    let mut state = state.lock().expect("no test panicked here");
    state.document_read += 1;
    if let Some(broken) = broken(&state) {
        return broken;
    }
    let issuer = format!("http://{}", request.connection_info().host());
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    });
    let changes = state.document.as_object().cloned().expect("an object");
    document.as_object_mut().expect("an object").extend(changes);
    HttpResponse::Ok().json(document)
}

async fn keys_of(state: Shared) -> HttpResponse {
    let mut state = state.lock().expect("no test panicked here");
    state.keys_read += 1;
    broken(&state).unwrap_or_else(|| HttpResponse::Ok().json(json!({"keys": state.keys})))
}

/// Exchanges a code, once, for who shows the secret of the client and the verifier of the challenge.
async fn exchange(
    request: HttpRequest,
    state: Shared,
    web::Form(form): web::Form<BTreeMap<String, String>>,
) -> HttpResponse {
    let mut state = state.lock().expect("no test panicked here");
    if let Some(broken) = broken(&state) {
        return broken;
    }
    let refuse = |error: &str| HttpResponse::BadRequest().json(json!({"error": error}));
    let basic = request.headers().get("authorization").map(|header| header.to_str().expect("a text").to_owned());
    // RFC 6749, section 2.3.1: as in a form, then in Base64.
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:s3cret%3A+of+%26+the+client")));
    let in_form = form.get("client_secret").is_some_and(|secret| secret == SECRET);
    state.authentication = match (&basic, in_form) {
        (Some(basic), false) if *basic == expected => "basic".to_owned(),
        (None, true) if form["client_id"] == CLIENT => "post".to_owned(),
        _ => return refuse("invalid_client"),
    };
    let Some(grant) = state.grants.remove(&form["code"]) else {
        return refuse("invalid_grant");
    };
    let is_proven = base64url(Sha256::digest(form["code_verifier"].as_bytes())) == grant.challenge;
    if form["grant_type"] != "authorization_code"
        || form["redirect_uri"] != grant.back
        || !(is_proven || state.ignores_pkce)
    {
        return refuse("invalid_grant");
    }
    HttpResponse::Ok().json(json!({"access_token": "unused", "token_type": "Bearer", "id_token": grant.token}))
}
