//! The row of an `Idempotency-Key` in the store: taken in the transaction of the first effect, and filled with the answer, in
//! that transaction where the handler can say it there.
//!
//! A row without an answer belongs to a request that is being answered or, when nobody is, to one whose outcome nobody knows.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::prelude::*;

use super::answer::KeptAnswer;
use crate::http::principal::Principal;
use crate::http::{ApiError, ApiResult, Code};
use crate::store::schema::idempotency_keys as keys;
use crate::store::seal::{NotSealed, Seal};
use crate::store::{Conn, Json, StoreResult, beside};
use kernel::{CallerId, Timestamp};

/// How long the first answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Separates keys for this purpose from others that are derived from the same secret.
const PURPOSE: &str = "evenwatt: answers that are kept for an Idempotency-Key";

tokio::task_local! {
    static CLAIM: Arc<Claim>;
}

pub(super) fn unsealed(error: NotSealed) -> ApiError {
    ApiError::new(Code::Internal, error.to_string())
}

/// A request that is to be made once.
pub(super) struct Claim {
    seal: Seal,
    caller: CallerId,
    key: String,
    hash: String,
    made_at: Timestamp,
    needs: Mutex<BTreeSet<String>>,
    begun: AtomicBool,
    kept: AtomicBool,
}

type Row = (Option<i32>, Option<String>, Option<Json<BTreeSet<String>>>);

impl Claim {
    /// The claim of a caller on one of their `Idempotency-Key`s, for the request with this hash.
    pub(super) fn new(
        (caller, secret): (CallerId, &str),
        key: String,
        hash: String,
        made_at: Timestamp,
    ) -> ApiResult<Self> {
        Ok(Self {
            seal: Seal::new(secret, PURPOSE).map_err(unsealed)?,
            caller,
            key,
            hash,
            made_at,
            needs: Mutex::default(),
            begun: AtomicBool::new(false),
            kept: AtomicBool::new(false),
        })
    }

    /// Runs a handler for this claim.
    pub(super) async fn during<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        let taken = Arc::clone(self);
        let beside = Arc::new(move |conn: &mut Conn| taken.take(conn));
        CLAIM.scope(Arc::clone(self), beside::with(beside, work)).await
    }

    /// The claim of the request that this task answers.
    pub(in crate::http) fn here() -> Option<Arc<Self>> {
        CLAIM.try_with(Arc::clone).ok()
    }

    /// The first answer to this request, where it was made before.
    pub(super) fn find(&self, conn: &mut Conn, principal: &Principal) -> ApiResult<Option<KeptAnswer>> {
        let mine = keys::api_key_id
            .eq(self.caller)
            .and(keys::key.eq(&self.key))
            .and(keys::created_at.ge(self.made_at - KEPT_FOR));
        let found: Option<(String, Row)> = keys::table
            .filter(mine)
            .select((keys::request_hash, (keys::status, keys::body, keys::scopes)))
            .first(conn)
            .optional()?;
        let Some((hash, (status, body, scopes))) = found else {
            return Ok(None);
        };
        self.same(&hash)?;
        for scope in scopes.into_iter().flat_map(|scopes| scopes.0) {
            if !principal.may(&scope) {
                let message = format!("This needs the scope {scope}");
                return Err(ApiError::new(Code::Forbidden, message));
            }
        }
        let Some(status) = status else {
            return Err(ApiError::new(Code::OutcomeUnknown, Code::OutcomeUnknown.meaning()));
        };
        let opened = body.and_then(|body| self.seal.open_bytes(self.hash.as_bytes(), &body));
        let answer = opened.and_then(|bytes| KeptAnswer::from_bytes(status, &bytes));
        let lost = || {
            ApiError::conflict(
                "This request was made before, with the API key as it was then; its answer cannot be read again",
            )
        };
        answer.ok_or_else(lost).map(Some)
    }

    fn same(&self, hash: &str) -> ApiResult<()> {
        if hash == self.hash {
            return Ok(());
        }
        Err(ApiError::new(Code::IdempotencyKeyReused, Code::IdempotencyKeyReused.meaning()))
    }

    /// Takes the key, beside the first effect of the request.
    fn take(&self, conn: &mut Conn) -> StoreResult<()> {
        self.begun.store(true, Ordering::Release);
        let old = keys::created_at.lt(self.made_at - KEPT_FOR);
        diesel::delete(keys::table.filter(old)).execute(conn)?;
        let mine = keys::table.find((self.caller, &self.key));
        if diesel::select(diesel::dsl::exists(mine)).get_result(conn)? {
            return Ok(());
        }
        let row = (
            keys::api_key_id.eq(self.caller),
            keys::key.eq(&self.key),
            keys::request_hash.eq(&self.hash),
            keys::scopes.eq(Json(self.needed().clone())),
            keys::created_at.eq(self.made_at),
        );
        diesel::insert_into(keys::table).values(row).execute(conn)?;
        Ok(())
    }

    /// Keeps the answer.
    pub(in crate::http) fn keep(&self, conn: &mut Conn, answer: &KeptAnswer) -> ApiResult<()> {
        self.take(conn)?;
        let bytes = answer.to_bytes();
        let sealed = self.seal.close_bytes(self.hash.as_bytes(), &bytes);
        let kept = (
            keys::status.eq(i32::from(answer.status.as_u16())),
            keys::body.eq(sealed.map_err(unsealed)?),
            keys::scopes.eq(Json(self.needed().clone())),
        );
        diesel::update(keys::table.find((self.caller, &self.key))).set(kept).execute(conn)?;
        Ok(())
    }

    /// Gives the key back: a retry is made as if this request had never been.
    pub(super) fn forget(&self, conn: &mut Conn) -> StoreResult<()> {
        diesel::delete(keys::table.find((self.caller, &self.key))).execute(conn)?;
        Ok(())
    }

    /// The answer is in the store.
    pub(in crate::http) fn is_kept_now(&self) {
        self.kept.store(true, Ordering::Release);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// Whether anything may have been stored for this request.
    pub(super) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    fn needed(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.needs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the scopes are noted that a request turned out to need: its answer is sent again to who still has them.
pub struct Needs(Option<Arc<Claim>>);

impl Needs {
    /// Those of the request that this task answers; they can be taken along to the threads of the store.
    pub fn here() -> Self {
        Self(Claim::here())
    }

    /// Notes one.
    pub fn note(&self, scope: &str) {
        if let Self(Some(claim)) = self {
            claim.needed().insert(scope.to_owned());
        }
    }
}

/// The requests that are being answered at this instant. There is one server on a store, so memory is enough.
#[derive(Clone, Default)]
pub struct Answering(Arc<Mutex<HashMap<(CallerId, String), String>>>);

impl Answering {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<(CallerId, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to answer a request, unless another one with its key is being answered.
    pub(super) fn begin(&self, claim: &Claim) -> ApiResult<Answered> {
        let key = (claim.caller, claim.key.clone());
        let mut all = self.all();
        if let Some(hash) = all.get(&key) {
            claim.same(hash)?;
            let code = Code::RequestInProgress;
            return Err(ApiError::new(code, code.meaning()).retry_after(1));
        }
        all.insert(key.clone(), claim.hash.clone());
        Ok(Answered(self.clone(), key))
    }
}

/// A request that is being answered, until this is dropped.
pub(super) struct Answered(Answering, (CallerId, String));

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.all().remove(&self.1);
    }
}
