//! Patches of nested objects: what is said of them is merged into what is there, as RFC 7396 says of whole documents.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error::Faults;
use super::fields::{Field, Path};
use kernel::Patch;

/// What a patch says of a nested object (RFC 7396): its members are merged into those that are there, null takes one away, and arrays
/// are replaced whole. What comes of it is checked as that of a new one is.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes<T> {
    said: Value,
    of: PhantomData<T>,
}

/// It has the schema of what it changes; that nothing in it must be said is added to the whole document.
impl<T: PartialSchema> ComposeSchema for Changes<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for Changes<T> {}

impl<T: Field> Field for Changes<T> {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        if !value.is_object() {
            T::read(value, at, faults)?; // nothing is merged
        }
        Some(Self { said: value.clone(), of: PhantomData })
    }
}

impl<T: Field> Changes<T> {
    /// Whether the patch says something of this member.
    pub fn says(&self, member: &str) -> bool {
        self.said.get(member).is_some()
    }

    /// What comes of it, where `there` is what clients see now; what is wrong is noted under the name of the field.
    pub fn onto(&self, there: Option<&impl Serialize>, name: &str, faults: &mut Faults) -> Option<T> {
        let there = there.and_then(|there| serde_json::to_value(there).ok());
        let mut whole = there.unwrap_or_default();
        merge_patch(&mut whole, &self.said);
        T::read(&whole, Path::Field(&Path::Root, name), faults)
    }
}

/// What a patch makes of a nested object: absent where it says nothing of it, or what comes of it is wrong, which is noted.
pub fn merged<T: Field>(
    patch: Patch<Changes<T>>,
    there: Option<&impl Serialize>,
    name: &str,
    faults: &mut Faults,
) -> Patch<T> {
    match patch {
        Patch::Absent => Patch::Absent,
        Patch::Null => Patch::Null,
        Patch::Value(changes) => changes.onto(there, name, faults).map_or(Patch::Absent, Patch::Value),
    }
}

/// Merges a patch into a document (RFC 7396, section 2).
fn merge_patch(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        document.clone_from(patch);
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Some(members) = document.as_object_mut() else {
        return;
    };
    for (name, change) in patch {
        if change.is_null() {
            members.shift_remove(name);
        } else {
            merge_patch(members.entry(name.as_str()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use kernel::text::Name;
    use serde_json::json;

    crate::input! {
        /// A thing.
        pub(crate) struct NewThing {
            /// Its name.
            pub name: Name,
            /// What kind.
            pub kind as "type": Option<bool>,
        }
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn the_examples_of_the_standard_come_out() {
        for (document, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = document.clone();
            merge_patch(&mut merged, &patch);
            assert_eq!(merged, result, "{patch} into {document}");
        }
    }

    /// The same, written from the pseudocode of the standard by somebody else.
    fn by_the_book(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut fields: BTreeMap<String, Value> = match target {
            Value::Object(fields) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        for (name, value) in patch {
            let before = fields.remove(name).unwrap_or(Value::Null);
            if *value != Value::Null {
                fields.insert(name.clone(), by_the_book(before, value));
            }
        }
        fields.into_iter().collect()
    }

    fn any_document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            proptest::collection::vec(0..3_i64, 0..3).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            proptest::collection::vec(("[a-d]", inner), 0..4).prop_map(|fields| fields.into_iter().collect())
        })
    }

    proptest! {
        #[test]
        fn a_patch_is_merged_as_the_standard_says(document in any_document(), patch in any_document()) {
            let mut merged = document.clone();
            merge_patch(&mut merged, &patch);
            prop_assert_eq!(merged, by_the_book(document, &patch));
        }
    }

    #[test]
    fn what_comes_of_a_nested_patch_is_checked_as_a_whole() {
        let mut faults = Faults::default();
        let there = json!({"name": "x", "type": true});
        let mut result = |said: Value| {
            let changes = Changes::<NewThing>::read(&said, Path::Root, &mut faults).expect("an object");
            let merged = changes.onto(Some(&there), "thing", &mut faults);
            let noted: Vec<String> =
                faults.0.drain(..).map(|fault| format!("{} {}", fault.field, fault.code)).collect();
            (merged.map(|thing| (String::from(thing.name), thing.kind)), noted)
        };
        assert_eq!(result(json!({"type": false})), (Some(("x".to_owned(), Some(false))), vec![]));
        assert_eq!(result(json!({"type": null})), (Some(("x".to_owned(), None)), vec![]));
        assert_eq!(result(json!({"name": null})), (None, vec!["thing.name required".to_owned()]));
        assert!(result(json!({"nam": 1, "type": 3})).1.contains(&"thing.nam unknown".to_owned()));
    }
}
