//! Rows as comma-separated values: nested fields become `address.city`, lists become JSON, and a cell that a
//! spreadsheet would run as a formula is neutralised.

use serde_json::Value;

/// Column names in the order of the first row's fields, nested objects flattened.
pub fn header(rows: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        flatten("", row, &mut |name, _| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
    }
    names
}

/// One record, RFC 4180.
pub fn record(columns: &[String], row: &Value) -> Vec<String> {
    let mut cells = vec![String::new(); columns.len()];
    flatten("", row, &mut |name, value| {
        let cell = columns
            .iter()
            .position(|column| *column == name)
            .and_then(|index| cells.get_mut(index));
        if let Some(cell) = cell {
            *cell = text(value);
        }
    });
    cells
}

/// Records as bytes, with CRLF as RFC 4180 asks.
pub fn write<I, R>(records: I) -> Vec<u8>
where
    I: IntoIterator<Item = R>,
    R: IntoIterator<Item = String>,
{
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(vec![]);
    for record in records {
        let cells: Vec<String> = record.into_iter().map(neutralise).collect();
        if writer.write_record(&cells).is_err() {
            break; // writing to memory cannot fail
        }
    }
    writer.into_inner().unwrap_or_default()
}

fn flatten(prefix: &str, value: &Value, visit: &mut dyn FnMut(String, &Value)) {
    match value {
        Value::Object(fields) if !fields.is_empty() || prefix.is_empty() => {
            for (name, value) in fields {
                let name = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}.{name}")
                };
                flatten(&name, value, visit);
            }
        }
        other => visit(prefix.to_owned(), other),
    }
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
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_rows_flatten_and_formulas_are_neutralised() {
        let rows = [json!({"name": "=1+1", "address": {"city": "Reno, NV"}, "power": -3.5})];
        let columns = header(&rows);
        let bytes = write(
            std::iter::once(columns.clone()).chain(rows.iter().map(|row| record(&columns, row))),
        );
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(
            text,
            "name,address.city,power\r\n'=1+1,\"Reno, NV\",-3.5\r\n"
        );
    }
}
