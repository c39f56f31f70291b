//! Small pieces that every slice's queries share.

use super::columns::Instant;

/// The row's columns, for `returning`: `as_returning` does not exist for two backends at once.
pub fn columns<T: diesel::Selectable<super::connection::MultiBackend>>() -> T::SelectExpression {
    T::construct_selection()
}

/// A `LIKE` pattern that finds `text` anywhere, with its own wildcards taken literally (escape character `\`).
pub fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.extend(letter.to_lowercase());
    }
    pattern.push('%');
    pattern
}

diesel::define_sql_function! {
    /// Lower case, for searches that ignore case on both stores.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

diesel::define_sql_function! {
    /// A text with every `from` in it turned into `to`.
    fn replace(text: diesel::sql_types::Nullable<diesel::sql_types::Text>, from: diesel::sql_types::Text, to: diesel::sql_types::Text) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

diesel::define_sql_function! {
    /// A moment as it is, given twice, but not as a column that an index is of.
    #[sql_name = "coalesce"]
    fn apart(at: Instant, again: Instant) -> Instant;
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_of_the_user_are_literal() {
        assert_eq!(super::contains("50%_A"), "%50\\%\\_a%");
    }
}
