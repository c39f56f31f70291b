//! The one table of error codes: what each means and the HTTP status it has. `docs/ERRORS.md` is made from it.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $text:literal, $status:literal, $meaning:literal;)*) => {
        /// Why a request failed, in a word that programs can compare.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(#[doc = $meaning] $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word in the envelope's `code`.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),* } }
            /// What it means.
            pub const fn meaning(self) -> &'static str { match self { $(Self::$variant => $meaning),* } }
            /// Its HTTP status.
            pub const fn status_number(self) -> u16 { match self { $(Self::$variant => $status),* } }
        }
    };
}

codes! {
    NotJson = "not_json", 400, "The body is not JSON.";
    CommandFailed = "command_failed", 400, "The station refused the command or could not carry it out.";
    BadRequest = "bad_request", 400, "The request cannot be read.";
    Unauthenticated = "unauthenticated", 401, "No API key, or one that is wrong, expired or revoked; or no login, or one that is over.";
    LoginFailed = "login_failed", 401, "The e-mail address or the password is wrong.";
    TotpRequired = "totp_required", 401, "The password is right, and the account has a second factor: send `totp` too.";
    Forbidden = "forbidden", 403, "The API key, or the operator's role, lacks the scope that the endpoint needs; or only an installation-wide admin may.";
    Csrf = "csrf", 403, "A request with an operator's cookie that changes something must have X-CSRF-Token from GET /v1.1/account; load the page again.";
    ForeignOrigin = "foreign_origin", 403, "The request comes from a page of another server.";
    NotFound = "not_found", 404, "There is no such object in your organization, or no such path.";
    MethodNotAllowed = "method_not_allowed", 405, "The path exists, but not with this method.";
    StationOffline = "station_offline", 406, "The station is offline or inactive.";
    NotAcceptable = "not_acceptable", 406, "The asked-for format does not exist here.";
    Conflict = "conflict", 409, "The request does not fit the present state.";
    InUse = "in_use", 409, "The object is still in use; the message says by what.";
    AlreadyExists = "already_exists", 409, "Another object has this unique value.";
    PriorityChargeDenied = "priority_charge_denied", 409, "The group cannot have a priority charge; the message says why.";
    NoSession = "no_session", 409, "No car is plugged in.";
    RequestInProgress = "request_in_progress", 409, "A request with this Idempotency-Key is still being answered.";
    OutcomeUnknown = "outcome_unknown", 409, "A request with this Idempotency-Key was begun, and its outcome is not known: the server was stopped in the middle. Look at GET /v1.1/actions, or at the list of what it creates, before you make it again with another key.";
    EventsGone = "events_gone", 410, "Events after this cursor are no longer kept; the message says where what is kept begins.";
    VersionMismatch = "version_mismatch", 412, "The object changed since the ETag in If-Match was read.";
    BodyTooLarge = "body_too_large", 413, "The body is larger than allowed.";
    NotJsonType = "unsupported_media_type", 415, "The Content-Type is not application/json.";
    InvalidBody = "invalid_body", 422, "The body has faults; `errors` lists all of them.";
    InvalidQuery = "invalid_query", 422, "The query string has faults; `errors` lists all of them.";
    InvalidPath = "invalid_path", 422, "An id in the path is not 24 hexadecimal characters.";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "This Idempotency-Key was used with another request.";
    UpgradeRequired = "upgrade_required", 426, "The path speaks WebSocket; open it as one.";
    TooManyRequests = "too_many_requests", 429, "The key's request rate is exceeded; see Retry-After.";
    Internal = "internal", 500, "A fault of the server; the request_id finds it in the log.";
    Busy = "busy", 503, "The server is overloaded; try again shortly.";
    QueryTooLong = "query_too_long", 503, "The query took longer than `store.query_seconds` and was ended; ask for less: by filters, smaller pages, or `after`.";
    StationSilent = "station_silent", 504, "The station did not answer in time.";
}

impl Code {
    /// Its HTTP status as the framework wants it.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The page `docs/ERRORS.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\nEvery error has the envelope of `docs/API-DESIGN.md`; `code` is one of these.\n\n\
         | HTTP | code | meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        page.push_str(&format!("| {} | `{}` | {} |\n", code.status_number(), code.as_str(), code.meaning()));
    }
    page
}
