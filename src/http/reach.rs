//! Where a caller may reach: everywhere in the organization, or at some of its locations, outside of which nothing exists for them.
//!
//! Ids in paths, queries and bodies are looked up before a handler sees them; lists and counts are bounded by the locations
//! themselves. What belongs to no location, such as tokens and users, is for such callers a matter of scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::fields::Path;
use super::principal::Principal;
use super::{ApiError, ApiResult, Code, Ctx, Faults};
use crate::store::{Conn, StoreResult};
use kernel::{LocationId, RawId};

/// At which location each of these ids is, where it is that of an object that has one; none for a station without a location, and
/// what belongs to it. Other ids are left out.
pub type Whereabouts = fn(&mut Conn, &[RawId]) -> StoreResult<BTreeMap<RawId, Option<LocationId>>>;

/// Where a caller may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach(Option<Arc<[LocationId]>>);

impl Reach {
    /// Ids whose whereabouts are asked at once: a store takes a bounded number of values in a query.
    pub const AT_ONCE: usize = 500;

    /// Only what is at these locations; everything where there is no list.
    pub fn at(locations: Option<&[LocationId]>) -> Self {
        Self(locations.map(Arc::from))
    }

    /// The locations that bound it; none where nothing does.
    pub fn locations(&self) -> Option<&[LocationId]> {
        self.0.as_deref()
    }

    /// Whether what is at this location is within it.
    pub fn includes(&self, location: LocationId) -> bool {
        self.0.as_ref().is_none_or(|locations| locations.contains(&location))
    }

    /// That of whoever sends a request; without bounds where no operator does.
    pub(super) fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Principal>().map(|principal| principal.reach.clone()).unwrap_or_default()
    }

    /// Refuses what would be at no location, where somebody who works at some would lose sight of it.
    pub fn require_location(&self, location: Option<LocationId>) -> ApiResult<()> {
        let is_outside = self.0.is_some() && location.is_none();
        let message = "is required: you work at some locations only, and would not see it any more";
        if is_outside { Err(ApiError::field("location", "required", message)) } else { Ok(()) }
    }

    /// Refuses what concerns the whole organization.
    pub fn require_everywhere(&self, what: &str) -> ApiResult<()> {
        if self.0.is_none() {
            return Ok(());
        }
        Err(ApiError::new(
            Code::Forbidden,
            format!("You work at some locations only; {what} is for who works everywhere"),
        ))
    }

    /// Those of some ids that are of something elsewhere.
    async fn elsewhere(&self, ctx: &Ctx, ids: BTreeSet<RawId>) -> ApiResult<BTreeSet<RawId>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let (whereabouts, reach, ids) = (ctx.whereabouts, self.clone(), ids.into_iter().collect::<Vec<_>>());
        let read = ctx.db.read(move |conn| -> StoreResult<BTreeSet<RawId>> {
            let mut elsewhere = BTreeSet::new();
            for some in ids.chunks(Self::AT_ONCE) {
                let known = whereabouts(conn, some)?.into_iter();
                let outside = known.filter(|(_, at)| !at.is_some_and(|at| reach.includes(at)));
                elsewhere.extend(outside.map(|(id, _)| id));
            }
            Ok(elsewhere)
        });
        Ok(read.await?)
    }
}

/// Refuses a request whose path or query names something that is elsewhere.
pub(super) async fn keep_within(request: &ServiceRequest, reach: &Reach) -> ApiResult<()> {
    if reach.locations().is_none() {
        return Ok(());
    }
    let ctx = context(request.request())?;
    let asked = format!("{} {}", request.uri().path(), request.query_string());
    let named = ids_in(&percent_decode_str(&asked).decode_utf8_lossy());
    match reach.elsewhere(&ctx, named).await?.first() {
        None => Ok(()),
        Some(id) => Err(ApiError::new(Code::NotFound, format!("There is nothing with the id {id} where you work"))),
    }
}

/// Notes each place of a body that names something elsewhere.
pub(super) async fn note_elsewhere(request: &HttpRequest, body: &Value, faults: &mut Faults) -> ApiResult<()> {
    let reach = Reach::of(request);
    if reach.locations().is_none() {
        return Ok(());
    }
    let mut named = BTreeSet::new();
    walk(body, Path::Root, &mut |_, text| named.extend(ids_in(text)));
    let elsewhere = reach.elsewhere(&context(request)?, named).await?;
    walk(body, Path::Root, &mut |at, text| {
        if ids_in(text).iter().any(|id| elsewhere.contains(id)) {
            faults.add(at, "not_found", "there is nothing with this id where you work");
        }
    });
    Ok(())
}

fn context(request: &HttpRequest) -> ApiResult<Ctx> {
    request.app_data::<Ctx>().cloned().ok_or_else(|| ApiError::new(Code::Internal, "no context"))
}

/// Ids stand in texts and as names of fields. What a client keeps for itself in `meta_data` names nothing.
fn walk(value: &Value, at: Path<'_>, visit: &mut impl FnMut(Path<'_>, &str)) {
    match value {
        Value::String(text) => visit(at, text),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, Path::Element(&at, index), visit));
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "meta_data") {
                let at = Path::Field(&at, name);
                visit(at, name);
                walk(field, at, visit);
            }
        }
        _ => {}
    }
}

/// Everything in a text that may be an id.
fn ids_in(text: &str) -> BTreeSet<RawId> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "650000000000000000000001";
    const OTHER: &str = "65000000000000000000000b";

    fn ids(of: &[&str]) -> BTreeSet<RawId> {
        of.iter().map(|id| id.parse().expect("an id")).collect()
    }

    #[test]
    fn ids_are_found_in_whatever_surrounds_them() {
        let upper = OTHER.to_uppercase();
        assert_eq!(ids_in(&format!("/v1.1/evses/{ONE}/qr.svg near={upper},{ONE}")), ids(&[ONE, OTHER]));
        assert_eq!(ids_in(&format!("{ONE}0 x{ONE}")), ids(&[]), "longer words are no ids");
    }

    #[test]
    fn a_body_is_walked_to_its_ends_but_for_what_a_client_keeps() {
        let body = serde_json::json!({"a": [{"b": ONE}], OTHER: 1, "meta_data": {"mine": ONE}, "n": [[ONE]]});
        let mut seen = Vec::new();
        walk(&body, Path::Root, &mut |at, text| {
            if !ids_in(text).is_empty() {
                seen.push(at.to_string());
            }
        });
        seen.sort();
        assert_eq!(seen, [OTHER, "a[0].b", "n[0][0]"]);
    }
}
