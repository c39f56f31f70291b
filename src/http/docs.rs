//! What the OpenAPI document says of every endpoint: its shared answers and the way to authenticate.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify};

use super::login::COOKIE;

fn problem(description: &str) -> utoipa::openapi::RefOr<Response> {
    ResponseBuilder::new()
        .description(description)
        .content("application/json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .build()
        .into()
}

macro_rules! answer_sets {
    ($($(#[$meta:meta])* $name:ident { $($status:literal: $text:literal),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<Response>> {
                [$(($status.to_owned(), problem($text))),*].into()
            }
        }
    )*};
}

answer_sets! {
    /// Answers of a list.
    ListErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "406": "The rows have no place to show as GeoJSON",
        "422": "The query string has faults",
        "429": "Too many requests",
    }
    /// Answers of the log of events.
    LogErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "410": "Events after this cursor are no longer kept",
        "422": "The query string has faults",
        "429": "Too many requests",
    }
    /// Answers of a list of what belongs to an object.
    PartErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "404": "There is no such object",
        "406": "The rows have no place to show as GeoJSON",
        "422": "The id or the query string has faults",
        "429": "Too many requests",
    }
    /// Answers of reading one object.
    OneErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "404": "There is no such object",
        "422": "The id or a parameter is malformed",
        "429": "Too many requests",
    }
    /// Answers of creating and changing.
    WriteErrors {
        "400": "The body is not JSON",
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "404": "There is no such object",
        "409": "The request does not fit the present state",
        "412": "The object changed since the ETag in If-Match was read",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests",
    }
    /// Answers of deleting.
    DeleteErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "404": "There is no such object",
        "409": "The object is still in use; the message says by what",
        "412": "The object changed since the ETag in If-Match was read",
        "422": "The id is malformed",
        "429": "Too many requests",
    }
    /// Answers of sending a logo.
    NewLogoErrors {
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "412": "The object changed since the ETag in If-Match was read",
        "413": "The picture is too large",
        "422": "The bytes are no PNG, JPEG or WebP picture, or one with too many pixels",
        "429": "Too many requests",
    }
    /// Answers of fetching a logo.
    LogoErrors {
        "404": "There is no such logo",
        "422": "The id is malformed",
        "429": "Too many requests from this address",
    }
    /// Answers to an installation-wide admin who asks for a list.
    InstallationListErrors {
        "401": "Nobody is logged in",
        "403": "Only an installation-wide admin may, logged in as a person",
        "406": "The rows have no place to show as GeoJSON",
        "422": "The query string has faults",
        "429": "Too many requests",
    }
    /// Answers to an installation-wide admin who reads.
    InstallationErrors {
        "401": "Nobody is logged in",
        "403": "Only an installation-wide admin may, logged in as a person",
        "404": "There is no such organization",
        "422": "The id is malformed",
        "429": "Too many requests",
    }
    /// Answers to an installation-wide admin who changes something.
    InstallationWriteErrors {
        "400": "The body is not JSON",
        "401": "Nobody is logged in",
        "403": "Only an installation-wide admin may, logged in as a person",
        "404": "There is no such organization",
        "409": "The request does not fit the present state",
        "412": "The object changed since the ETag in If-Match was read",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests",
    }
    /// Answers about accounts of operators.
    AccountErrors {
        "400": "The body is not JSON",
        "401": "Nobody is logged in, the address or the password is wrong, or a code is asked for",
        "403": "No page of this server sent it: X-CSRF-Token is missing or wrong",
        "404": "The link is unknown, was used, or has expired",
        "409": "The request does not fit the present state",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests from this address, or too many wrong passwords",
        "503": "Too many passwords are being checked",
    }
    /// Answers of links to accounts of operators.
    AccountLinkErrors {
        "404": "The link is unknown, was used, or has expired",
        "429": "Too many requests from this address",
    }
    /// Answers of logins by OpenID Connect, where they lead nowhere.
    LoginProviderErrors {
        "404": "There is no such login provider",
        "429": "Too many requests from this address",
        "503": "The store takes nothing at the moment",
    }
    /// Answers to an operator who asks for what is their own.
    OwnErrors {
        "401": "Nobody is logged in",
        "403": "No page of this server sent it: X-CSRF-Token is missing or wrong",
        "404": "There is no such thing",
        "429": "Too many requests from this address",
    }
    /// Answers of what needs no login.
    OpenErrors {
        "429": "Too many requests from this address",
    }
    /// Answers of the portal's auth guard.
    PortalErrors {
        "400": "The body is not JSON",
        "401": "The address or the password is wrong, or the refresh token does not work",
        "404": "The link is unknown, was used, or has expired",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests from this address, or too many wrong passwords",
        "503": "Too many passwords are being checked",
    }
    /// Answers to a home user.
    HomeErrors {
        "401": "Access token missing or expired",
        "404": "The user has no such group",
        "422": "The id is malformed",
        "429": "Too many requests from this address",
    }
    /// Answers to a home user who asks for a list.
    HomeListErrors {
        "401": "Access token missing or expired",
        "406": "The format does not exist here",
        "422": "The query string has faults",
        "429": "Too many requests from this address",
    }
    /// Answers to a home user who changes something.
    HomeWriteErrors {
        "400": "The body is not JSON",
        "401": "Access token missing or expired",
        "404": "The user has no such group",
        "409": "The request does not fit the present state",
        "412": "The object changed since the ETag in If-Match was read",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests from this address",
    }
    /// Answers to a home user who asks for a priority charge.
    HomeChargeErrors {
        "400": "The body is not JSON",
        "401": "Access token missing or expired",
        "404": "The user has no such group",
        "406": "The station is offline or inactive",
        "409": "Denied; the message says why",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who looks.
    DriverErrors {
        "404": "There is no such charger, or this driver does not see it",
        "422": "A parameter is malformed",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who asks for a link to log in by.
    DriverLoginErrors {
        "400": "The body is not JSON",
        "403": "The request comes from a page of another server",
        "409": "The server sends no e-mails",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who has a link to log in by.
    DriverLinkErrors {
        "403": "The request comes from a page of another server",
        "404": "The link is unknown, was used, or has expired",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who may be logged in.
    DriverAccountErrors {
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who logs out.
    DriverLogoutErrors {
        "403": "The request comes from a page of another server",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who asks for the own sessions.
    DriverListErrors {
        "401": "Nobody is logged in, or the login is over",
        "406": "The format does not exist here",
        "422": "The query string has faults",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver about the own session.
    DriverSessionErrors {
        "403": "The request comes from a page of another server",
        "404": "There is no such session, or it was started neither by this browser nor by the driver who is logged in",
        "406": "The station is offline or inactive",
        "409": "The request does not fit the present state",
        "422": "The id is malformed",
        "429": "Too many requests from this address",
    }
    /// Answers to a driver who starts.
    DriverStartErrors {
        "400": "The body is not JSON",
        "403": "The request comes from a page of another server",
        "404": "There is no such charger, or it is not for everybody and this card has no access",
        "406": "The station is offline or inactive",
        "409": "The request does not fit the present state",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The card is not accepted, or the body has other faults; all of them are listed",
        "429": "Too many requests from this address, or too many cards that are not accepted",
    }
    /// Answers of sending a command to a station.
    CommandErrors {
        "400": "The body is not JSON, or the station refused",
        "401": "No API key, or one that is wrong, expired or revoked",
        "403": "The key lacks the scope",
        "404": "There is no such object",
        "406": "The station is offline or inactive",
        "409": "The request does not fit the present state",
        "413": "The body is too large",
        "415": "The body is not application/json",
        "422": "The body has faults; all of them are listed",
        "429": "Too many requests",
        "504": "The station did not answer in time",
    }
}

/// Adds the bearer schemes that Swagger UI's "Authorize" fills in.
#[derive(Debug)]
pub struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key: `ew_live_…` or `ew_test_…`"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A home user's access token, from `POST /v1.1/portal/login`"))
            .build();
        components.add_security_scheme("portal", SecurityScheme::Http(scheme));
        let scheme = ApiKeyValue::with_description(
            COOKIE,
            "An operator's login, from `POST /v1.1/account/login`; opens every endpoint as far as the role goes",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(scheme)));
    }
}
