//! Objects in place of ids (`include_…=true`): whatever a page refers to, all of one kind in one query.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::Versioned;
use crate::store::StoreResult;
use kernel::Timestamp;

/// A view as it is answered, in which ids may have been replaced. It has the version and the documented form of the view, and is only
/// taken apart where something is put into it.
#[derive(Debug, Clone)]
pub struct Shown<V> {
    view: V,
    fields: Option<Value>,
}

impl<V: Serialize> Shown<V> {
    /// The view with all its ids.
    pub const fn new(view: V) -> Self {
        Self { view, fields: None }
    }

    fn field(&mut self, name: &str) -> Option<&mut Value> {
        let Self { view, fields } = self;
        fields.get_or_insert_with(|| serde_json::to_value(view).unwrap_or_default()).get_mut(name)
    }
}

impl<V: Serialize> Serialize for Shown<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.fields {
            None => self.view.serialize(serializer),
            Some(fields) => fields.serialize(serializer),
        }
    }
}

impl<V: Versioned> Versioned for Shown<V> {
    fn version(&self) -> Timestamp {
        self.view.version()
    }
}

impl<V: ToSchema> PartialSchema for Shown<V> {
    fn schema() -> RefOr<Schema> {
        V::schema()
    }
}

impl<V: ToSchema> ToSchema for Shown<V> {
    fn name() -> std::borrow::Cow<'static, str> {
        V::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        V::schemas(schemas);
    }
}

/// The documented form of a reference to what this slice cannot name as a type, as it would be a circle: an id, or the object of this
/// view.
pub fn reference<I: PartialSchema>(view: &str) -> OneOfBuilder {
    OneOfBuilder::new().item(I::schema()).item(Ref::from_schema_name(view))
}

/// Puts objects in place of the ids that rows have in a field; `find` is asked once, for each id once, and an id whose object it
/// does not find stays.
pub fn include<V, I, O>(
    rows: &mut [Shown<V>],
    field: &str,
    find: impl FnOnce(&[I]) -> StoreResult<BTreeMap<I, O>>,
) -> StoreResult<()>
where
    V: Serialize,
    I: FromStr + Ord + Copy,
    O: Serialize,
{
    let id_in = |place: &Value| -> Option<I> { place.as_str()?.parse().ok() };
    let ids: BTreeSet<I> = rows.iter_mut().filter_map(|row| id_in(row.field(field)?)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let found = find(&ids.into_iter().collect::<Vec<I>>())?;
    let found = found.into_iter().filter_map(|(id, object)| Some((id, serde_json::to_value(object).ok()?)));
    let found: BTreeMap<I, Value> = found.collect();
    for place in rows.iter_mut().filter_map(|row| row.field(field)) {
        if let Some(object) = id_in(place).and_then(|id| found.get(&id)) {
            *place = object.clone();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{LocationId, RawId};
    use serde_json::json;

    #[derive(Serialize)]
    struct Row {
        location: Option<LocationId>,
    }

    impl Versioned for Row {
        fn version(&self) -> Timestamp {
            Timestamp::from_unix_seconds(7)
        }
    }

    #[test]
    fn each_object_is_asked_for_once_and_what_is_not_found_stays() {
        let id = |number| LocationId::from(RawId::from_bytes([number; 12]));
        let row = |location: Option<LocationId>| Shown::new(Row { location });
        let mut rows = [row(Some(id(1))), row(None), row(Some(id(2))), row(Some(id(1)))];
        let mut asked = Vec::new();
        include(&mut rows, "location", |ids: &[LocationId]| {
            asked.push(ids.to_vec());
            Ok(BTreeMap::from([(id(1), json!({"name": "Depot"}))]))
        })
        .expect("found");
        assert_eq!(asked, [vec![id(1), id(2)]]);
        let shown: Vec<Value> = rows.iter_mut().filter_map(|row| row.field("location").cloned()).collect();
        assert_eq!(shown, [json!({"name": "Depot"}), json!(null), json!(id(2)), json!({"name": "Depot"})]);
        assert_eq!(rows[0].version(), Timestamp::from_unix_seconds(7));
        include(&mut rows[1..2], "location", |_: &[LocationId]| -> StoreResult<BTreeMap<LocationId, Value>> {
            panic!("nobody is asked where there is no id")
        })
        .expect("nothing to do");
    }
}
