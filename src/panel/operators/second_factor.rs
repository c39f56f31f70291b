//! The second factor: codes of six digits from an app, one each half minute (TOTP, RFC 6238).

use std::fmt;

use serde_json::Value;
use totp_rs::{Builder, Secret, Totp};

use super::model::Account;
use crate::http::fields::{Field, Path, wrong};
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::json_schema;
use crate::store::seal::Seal;
use clock::chance;
use kernel::Timestamp;

/// A code; spaces between its digits are left out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SixDigits(String);

json_schema!(SixDigits, {"type": "string", "pattern": "^[0-9]{6}$", "example": "492039"});

impl fmt::Debug for SixDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SixDigits")
    }
}

impl Field for SixDigits {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let digits: Option<String> = value.as_str().map(|text| text.split_whitespace().collect());
        let code = digits.filter(|code| code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
        code.map(Self).or_else(|| wrong(at, faults, "the six digits that the app shows"))
    }
}

/// Who asks, as the app shows it.
const ISSUER: &str = "Evenwatt";

/// A new secret, in the form that is typed into an app.
pub(super) fn draw() -> String {
    Secret::new_stack(chance::bytes()).to_base32()
}

/// The form of a secret that is stored.
pub(super) fn seal(seal: &Seal, account: &Account, secret: &str) -> ApiResult<String> {
    seal.close(account.id.raw().as_bytes(), secret).map_err(|error| ApiError::new(Code::Internal, error.to_string()))
}

/// The secret of an account, where it has one that can be opened.
fn secret_of(seal: &Seal, account: &Account) -> Option<String> {
    seal.open(account.id.raw().as_bytes(), account.totp_secret.as_ref()?)
}

fn totp(secret: &str, email: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret).ok()?;
    let name = email.replace(':', ""); // it separates the issuer from the name
    Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some(ISSUER)).build().ok()
}

/// What an app reads from a picture.
pub(super) fn url(seal: &Seal, account: &Account) -> Option<String> {
    let totp = totp(&secret_of(seal, account)?, account.email.as_deref()?)?;
    totp.to_url().ok()
}

/// The step of a code that is right at this instant, or was or will be within half a minute.
pub(super) fn step(seal: &Seal, account: &Account, SixDigits(code): &SixDigits, now: Timestamp) -> Option<i64> {
    let totp = totp(&secret_of(seal, account)?, account.email.as_deref()?)?;
    let step = totp.check(code, u64::try_from(now.unix_seconds()).ok()?)?;
    i64::try_from(step).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Its appendix B, SHA-1: the secret is "12345678901234567890"; the last six of its eight digits.
        let totp = totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "grace@example.com").expect("a secret of 160 bits");
        for (at, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(totp.check(code, at), Some(at / 30), "{at}");
            assert_eq!(totp.check(code, at + 30), Some(at / 30), "a step later");
            assert_eq!(totp.check(code, at + 90), None, "three steps later");
        }
    }

    #[test]
    fn an_app_reads_who_asks_and_for_whom() {
        let totp = totp(&draw(), "grace@example.com").expect("a secret");
        let url = totp.to_url().expect("a link");
        assert!(url.starts_with("otpauth://totp/Evenwatt:grace%40example.com?secret="), "{url}");
    }
}
