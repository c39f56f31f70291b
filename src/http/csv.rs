//! Rows as comma-separated values: nested fields become `address.city`, lists and free fields become JSON, and a cell that a
//! spreadsheet would run as a formula is neutralised. The columns are those of the documented form of a row, in its order, whatever
//! the rows are; only what was included in place of an id adds some.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Type};

/// Forms within forms that become columns at most; deeper ones become JSON.
const DEEPEST: usize = 6;

/// Column names of a row's form.
pub fn header<V: ToSchema>(rows: &[Value]) -> Vec<String> {
    let mut parts = Vec::new();
    V::schemas(&mut parts);
    let mut form = Form { parts: parts.into_iter().collect(), rows, columns: Vec::new() };
    form.add("", &V::schema(), DEEPEST);
    form.columns
}

/// The documented forms of a row and of what is in it.
struct Form<'a> {
    parts: BTreeMap<String, RefOr<Schema>>,
    rows: &'a [Value],
    columns: Vec<String>,
}

impl Form<'_> {
    fn add(&mut self, name: &str, form: &RefOr<Schema>, depth: usize) {
        let form = self.resolve(form);
        match form {
            Some(Schema::Object(object)) if !object.properties.is_empty() && depth > 0 => {
                for (field, form) in &object.properties {
                    let inner = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                    self.add(&inner, form, depth - 1);
                }
            }
            Some(Schema::AllOf(all)) => all.items.iter().for_each(|one| self.add(name, one, depth)),
            Some(Schema::OneOf(one)) => self.add_one(name, &one.items, depth),
            Some(Schema::AnyOf(any)) => self.add_one(name, &any.items, depth),
            _ => self.push(name),
        }
    }

    /// One of several forms: the only one besides null, or the object in place of an id where rows have it.
    fn add_one(&mut self, name: &str, items: &[RefOr<Schema>], depth: usize) {
        let forms: Vec<_> = items.iter().filter(|one| !self.is_null(one)).collect();
        let has_object = self.rows.iter().any(|row| is_object(row, name));
        let object = forms.iter().find(|one| self.is_object(one));
        match (forms.as_slice(), object) {
            ([only], _) => self.add(name, only, depth),
            (_, Some(object)) if has_object => self.add(name, object, depth),
            _ => self.push(name),
        }
    }

    fn push(&mut self, name: &str) {
        if !self.columns.iter().any(|known| known == name) {
            self.columns.push(name.to_owned());
        }
    }

    fn resolve(&self, form: &RefOr<Schema>) -> Option<Schema> {
        match form {
            RefOr::T(schema) => Some(schema.clone()),
            RefOr::Ref(there) => {
                let (_, name) = there.ref_location.rsplit_once('/')?;
                match self.parts.get(name)? {
                    RefOr::T(schema) => Some(schema.clone()),
                    RefOr::Ref(_) => None,
                }
            }
        }
    }

    fn is_null(&self, form: &RefOr<Schema>) -> bool {
        let form = self.resolve(form);
        matches!(form, Some(Schema::Object(object)) if object.schema_type == Type::Null.into())
    }

    fn is_object(&self, form: &RefOr<Schema>) -> bool {
        match self.resolve(form) {
            Some(Schema::Object(object)) => !object.properties.is_empty(),
            Some(Schema::AllOf(_)) => true,
            _ => false,
        }
    }
}

/// Whether a row has an object at this dotted name.
fn is_object(row: &Value, name: &str) -> bool {
    let found = name.split('.').try_fold(row, |value, field| value.get(field));
    found.is_some_and(Value::is_object)
}

/// One record, RFC 4180.
pub fn record(columns: &[String], row: &Value) -> Vec<String> {
    let mut cells = vec![String::new(); columns.len()];
    fill(columns, &mut cells, "", row);
    cells
}

fn fill(columns: &[String], cells: &mut [String], name: &str, value: &Value) {
    let known = columns.iter().position(|column| column == name);
    match (known.and_then(|index| cells.get_mut(index)), value) {
        (Some(cell), value) => *cell = text(value),
        (None, Value::Object(fields)) => {
            for (field, value) in fields {
                let inner = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                fill(columns, cells, &inner, value);
            }
        }
        (None, _) => {}
    }
}

/// Records as bytes, with CRLF as RFC 4180 asks.
pub fn write<I, R>(records: I) -> Vec<u8>
where
    I: IntoIterator<Item = R>,
    R: IntoIterator<Item = String>,
{
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).flexible(true).from_writer(vec![]);
    for record in records {
        let cells: Vec<String> = record.into_iter().map(neutralise).collect();
        if writer.write_record(&cells).is_err() {
            break; // writing to memory cannot fail
        }
    }
    writer.into_inner().unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => other.to_string(),
    }
}

/// A leading `=`, `+`, `-`, `@`, tab or return makes spreadsheets run the cell; numbers keep their sign.
fn neutralise(cell: String) -> String {
    let risky = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if risky { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::*;

    #[derive(Serialize, ToSchema)]
    struct Place {
        city: String,
        street: Option<String>,
    }

    #[derive(Serialize, ToSchema)]
    struct Site {
        name: String,
        address: Option<Place>,
        power: f64,
        #[schema(value_type = Option<Object>)]
        free: Option<Value>,
    }

    fn csv_of(rows: &[Site]) -> String {
        let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
        let columns = header::<Site>(&rows);
        let bytes = write(std::iter::once(columns.clone()).chain(rows.iter().map(|row| record(&columns, row))));
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn nested_rows_flatten_and_formulas_are_neutralised() {
        let place = Place { city: "Reno, NV".into(), street: None };
        let row = Site { name: "=1+1".into(), address: Some(place), power: -3.5, free: Some(json!({"a": 1})) };
        assert_eq!(
            csv_of(&[row]),
            "name,address.city,address.street,power,free\r\n'=1+1,\"Reno, NV\",,-3.5,\"{\"\"a\"\":1}\"\r\n"
        );
    }

    #[test]
    fn the_header_is_the_same_whatever_the_rows_are() {
        let bare = Site { name: "A".into(), address: None, power: 1.0, free: None };
        let header = "name,address.city,address.street,power,free\r\n";
        assert_eq!(csv_of(&[]), header);
        assert_eq!(csv_of(&[bare]), format!("{header}A,,,1.0,\r\n"));
    }
}
