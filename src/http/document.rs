//! Finishes the OpenAPI document: corrects what the derive gets wrong, and gives every request an example that can
//! be sent as it is. Swagger UI, the Postman collection and generated clients all live on it.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, AllOf, ArrayItems, Components, Object, OneOf, Schema, SchemaType, Type,
};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, Response};

/// References that are followed one inside the other; deeper examples help nobody.
const DEEPEST_EXAMPLE: usize = 8;

/// Does all of it.
pub fn finish(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    components.schemas.values_mut().for_each(correct);
    ask_nothing_of_patches(&mut components);
    share_views(&mut components);
    for operation in document.paths.paths.values_mut().flat_map(operations_mut) {
        finish_operation(operation, &components);
        share_problems(operation, &mut components);
    }
    document.components = Some(components);
    leave_out_unused(document);
}

/// The derive names the types that stand in others, too, which say all of them in place: what nothing refers to is left out.
fn leave_out_unused(document: &mut OpenApi) {
    let text = serde_json::to_string(document).unwrap_or_default();
    if let Some(components) = document.components.as_mut().filter(|_| !text.is_empty()) {
        components.schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
    }
}

/// The operations of a path with their methods, in the order in which people think of them.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn finish_operation(operation: &mut Operation, components: &Components) {
    let mut is_list = false;
    let mut has_place = false;
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        is_list |= parameter.parameter_in == ParameterIn::Query && parameter.name == "format";
        has_place |= parameter.name == "near";
        parameter.schema.iter_mut().for_each(correct);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            content.schema.iter_mut().for_each(correct);
            if content.example.is_none() {
                let schema = content.schema.as_ref();
                content.example = schema.and_then(|schema| example(schema, components, 0));
            }
        }
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        for content in response.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            content.schema.iter_mut().for_each(correct);
        }
        if response.description.is_empty() {
            success(status).clone_into(&mut response.description);
        }
        if status == "200" && is_list {
            add_formats(response, has_place);
        }
    }
}

/// A patch is merged into what is there, nested objects with it, so none of their members must be said.
fn ask_nothing_of_patches(components: &mut Components) {
    let patches = components.schemas.iter_mut().filter(|(name, _)| name.ends_with("Patch"));
    for (_, patch) in patches {
        each_inner(patch, &mut |property| {
            if let RefOr::T(Schema::Object(object)) = property {
                object.required.clear();
            }
        });
    }
}

/// Envelopes and references refer to `LocationView` instead of repeating it.
fn share_views(components: &mut Components) {
    let views: Vec<(String, Schema)> = components
        .schemas
        .iter()
        .filter_map(|(name, schema)| match schema {
            RefOr::T(Schema::Object(view)) if !view.properties.is_empty() => Some((name.clone(), view.clone().into())),
            _ => None,
        })
        .collect();
    for schema in components.schemas.values_mut() {
        share(schema, &views);
    }
}

fn share(schema: &mut RefOr<Schema>, views: &[(String, Schema)]) {
    each_inner(schema, &mut |inner| {
        let known = match &*inner {
            RefOr::T(object) => views.iter().find(|(_, view)| view == object),
            RefOr::Ref(_) => None,
        };
        match known {
            Some((name, _)) => *inner = RefOr::Ref(Ref::from_schema_name(name)),
            None => share(inner, views),
        }
    });
}

/// Every endpoint has the same few errors: they are written once and referred to.
fn share_problems(operation: &mut Operation, components: &mut Components) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(problem) = &*response else {
            continue;
        };
        if status.starts_with('2') {
            continue;
        }
        let words = problem.description.split(|c: char| !c.is_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let name = format!("{status}_{}", words.join("_").to_lowercase());
        let reference = RefOr::Ref(Ref::from_response_name(&name));
        let problem = std::mem::replace(response, reference);
        components.responses.insert(name, problem);
    }
}

/// OpenAPI wants every answer described.
fn success(status: &str) -> &'static str {
    match status {
        "201" => "It was created",
        "202" => "It was begun; its result follows",
        _ => "It was done",
    }
}

/// What `?format=` makes of a list.
fn add_formats(response: &mut Response, has_place: bool) {
    let text: RefOr<Schema> = Object::with_type(Type::String).into();
    response.content.insert("text/csv".to_owned(), Content::new(Some(text)).into());
    if has_place {
        let features: RefOr<Schema> = Object::with_type(Type::Object).into();
        let features = Content::new(Some(features)).into();
        response.content.insert("application/geo+json".to_owned(), features);
    }
}

/// Says plainly what the derive says with `allOf` (a type and its description) and `oneOf` (a type or null).
fn correct(schema: &mut RefOr<Schema>) {
    let plain = match schema {
        RefOr::T(Schema::AllOf(all)) => described(all),
        RefOr::T(Schema::OneOf(one)) => nullable(one),
        _ => None,
    };
    if let Some(plain) = plain {
        *schema = plain.into();
        return correct(schema);
    }
    each_inner(schema, &mut correct);
}

/// Visits the schemas that a schema is made of.
fn each_inner(schema: &mut RefOr<Schema>, visit: &mut dyn FnMut(&mut RefOr<Schema>)) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.properties.values_mut().for_each(&mut *visit);
            if let Some(AdditionalProperties::RefOr(inner)) = object.additional_properties.as_deref_mut() {
                visit(inner);
            }
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                visit(items);
            }
        }
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(visit),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(visit),
        RefOr::T(Schema::AnyOf(any)) => any.items.iter_mut().for_each(visit),
        _ => {}
    }
}

/// `allOf: [a type, {type: object, description}]`, which nothing but an object could satisfy.
fn described(all: &AllOf) -> Option<Schema> {
    let [RefOr::T(inner), RefOr::T(Schema::Object(words))] = all.items.as_slice() else {
        return None;
    };
    if !words.properties.is_empty() || words.enum_values.is_some() {
        return None;
    }
    let mut inner = inner.clone();
    speak(&mut inner, &words.description, &words.default)?;
    Some(inner)
}

/// `oneOf: [a type, null]`.
fn nullable(one: &OneOf) -> Option<Schema> {
    let [RefOr::T(inner), RefOr::T(Schema::Object(null))] = one.items.as_slice() else {
        return None;
    };
    if null.schema_type != SchemaType::Type(Type::Null) {
        return None;
    }
    let mut inner = inner.clone();
    let schema_type = match &mut inner {
        Schema::Object(object) => {
            if let Some(values) = &mut object.enum_values {
                values.push(Value::Null);
            }
            &mut object.schema_type
        }
        Schema::Array(array) => &mut array.schema_type,
        _ => return None,
    };
    let SchemaType::Type(only) = schema_type else {
        return None;
    };
    *schema_type = SchemaType::from_iter([only.clone(), Type::Null]);
    speak(&mut inner, &one.description, &one.default)?;
    Some(inner)
}

/// Puts the property's own words over those of its type.
fn speak(schema: &mut Schema, description: &Option<String>, default: &Option<Value>) -> Option<()> {
    let (own_description, own_default) = match schema {
        Schema::Object(inner) => (&mut inner.description, &mut inner.default),
        Schema::Array(inner) => (&mut inner.description, &mut inner.default),
        Schema::OneOf(inner) => (&mut inner.description, &mut inner.default),
        _ => return None,
    };
    if description.is_some() {
        own_description.clone_from(description);
    }
    if default.is_some() {
        own_default.clone_from(default);
    }
    Some(())
}

/// The example that was written down, else one with the mandatory fields and those that have examples of their own.
fn example(schema: &RefOr<Schema>, components: &Components, depth: usize) -> Option<Value> {
    if depth > DEEPEST_EXAMPLE {
        return None;
    }
    let deeper = |schema: &RefOr<Schema>| example(schema, components, depth + 1);
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            deeper(components.schemas.get(name)?)
        }
        RefOr::T(Schema::Object(object)) => written(&object.example, &object.examples)
            .or_else(|| object.enum_values.as_ref()?.first().cloned())
            .or_else(|| example_of_object(object, &deeper)),
        RefOr::T(Schema::Array(array)) => written(&array.example, &array.examples).or_else(|| match &array.items {
            ArrayItems::RefOrSchema(items) => Some(json!([deeper(items)?])),
            ArrayItems::False => Some(json!([])),
        }),
        RefOr::T(Schema::OneOf(one)) => {
            written(&one.example, &one.examples).or_else(|| one.items.iter().find_map(deeper))
        }
        RefOr::T(Schema::AnyOf(any)) => {
            written(&any.example, &any.examples).or_else(|| any.items.iter().find_map(deeper))
        }
        RefOr::T(Schema::AllOf(all)) => {
            written(&all.example, &all.examples).or_else(|| all.items.iter().find_map(deeper))
        }
        RefOr::T(_) => None,
    }
}

fn written(example: &Option<Value>, examples: &[Value]) -> Option<Value> {
    example.clone().or_else(|| examples.first().cloned())
}

fn example_of_object(object: &Object, deeper: &dyn Fn(&RefOr<Schema>) -> Option<Value>) -> Option<Value> {
    let schema_type = match &object.schema_type {
        SchemaType::Type(only) => only,
        SchemaType::Array(several) => several.first()?,
        SchemaType::AnyValue => return Some(json!({})),
    };
    Some(match schema_type {
        Type::Object => {
            let mut fields = Map::new();
            for (name, property) in &object.properties {
                if object.required.contains(name) || has_own_example(property) {
                    let value = plain_text(property).then(|| text_for(name, property).into());
                    fields.insert(name.clone(), value.or_else(|| deeper(property))?);
                }
            }
            Value::Object(fields)
        }
        Type::String => "text".into(),
        Type::Integer | Type::Number => {
            object.minimum.as_ref().map_or(json!(1), |least| serde_json::to_value(least).unwrap_or_default())
        }
        Type::Boolean => true.into(),
        Type::Null => Value::Null,
        Type::Array => json!([]),
    })
}

/// `example` is written for one field, `examples` belongs to a type that many fields have.
fn has_own_example(property: &RefOr<Schema>) -> bool {
    match property {
        RefOr::T(Schema::Object(object)) => object.example.is_some(),
        RefOr::T(Schema::Array(array)) => array.example.is_some(),
        _ => false,
    }
}

fn plain_text(property: &RefOr<Schema>) -> bool {
    matches!(property, RefOr::T(Schema::Object(object))
        if object.schema_type == SchemaType::Type(Type::String)
            && object.example.is_none() && object.examples.is_empty() && object.enum_values.is_none())
}

/// A text that shows which field it is: `operatorName` becomes "Operator name".
fn text_for(name: &str, property: &RefOr<Schema>) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        match letter {
            '_' => words.push(' '),
            _ if words.is_empty() => words.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            _ => words.push(letter),
        }
    }
    let most = match property {
        RefOr::T(Schema::Object(object)) => object.max_length,
        _ => None,
    };
    words.chars().take(most.unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fields::MetaData;
    use kernel::LocationId;
    use kernel::text::Name;
    use utoipa::PartialSchema;

    crate::input! {
        /// A thing.
        pub(crate) struct NewThing {
            /// What it is called.
            pub full_name as "fullName": Name,
            /// Where it is.
            pub location: LocationId,
            /// Another place.
            pub other: Option<LocationId>,
            /// Whether it works.
            pub works: Option<bool>,
            /// JSON of your own.
            pub meta_data: Option<MetaData>,
        }
    }

    #[test]
    fn types_keep_their_descriptions_without_a_detour() {
        let mut schema = NewThing::schema();
        correct(&mut schema);
        let schema = serde_json::to_value(&schema).expect("JSON");
        assert_eq!(
            schema["properties"]["fullName"],
            json!({"type": "string", "description": "What it is called.", "minLength": 1, "maxLength": 100})
        );
        assert_eq!(
            (&schema["properties"]["other"]["type"], &schema["properties"]["other"]["description"]),
            (&json!(["string", "null"]), &json!("Another place."))
        );
    }

    #[test]
    fn examples_have_what_is_mandatory_and_what_shows_itself() {
        let mut schema = NewThing::schema();
        correct(&mut schema);
        assert_eq!(
            example(&schema, &Components::default(), 0),
            Some(
                json!({"fullName": "Full name", "location": "650000000000000000000001", "meta_data": {"order": "A1"}})
            )
        );
    }
}
