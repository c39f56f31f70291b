//! Searches for a part of a text: users, tokens and charge stations by what a person would type, sessions by their cards.
//!
//! Triggers of both stores keep a line of text for each row in `searched_texts`. From three letters on an index of trigrams finds
//! the lines (FTS5 on SQLite, `pg_trgm` on PostgreSQL); fewer letters look at all lines of the organization.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::connection::{Conn, MultiBackend};
use super::query::contains;
use kernel::OrganizationId;

/// Letters of the shortest text that the index knows.
const TRIGRAM: usize = 3;

/// Whose text is searched.
#[derive(Debug, Clone, Copy)]
pub enum Searched {
    /// Users: first and last name, e-mail address.
    Users,
    /// Tokens: physical id and parent group.
    Tokens,
    /// Charge stations: name, code, endpoint, manufacturer and model.
    Stations,
    /// Connectors, by the same of their charge stations.
    StationsOfConnectors,
    /// Sessions: the card.
    Sessions,
}

/// A filter of a query from `Tables`.
type Filter<Tables> = Box<dyn BoxableExpression<Tables, MultiBackend, SqlType = Bool>>;

impl Searched {
    /// What the lines are of, and their kind.
    const fn column(self) -> (&'static str, &'static str) {
        match self {
            Self::Users => ("users.id", "user"),
            Self::Tokens => ("tokens.id", "token"),
            Self::Stations => ("chargestations.id", "chargestation"),
            Self::StationsOfConnectors => ("connectors.chargestation_id", "chargestation"),
            Self::Sessions => ("sessions.id_tag", "card"),
        }
    }

    /// A filter for rows of an organization that contain `text` in any case of letters; made anew for each query.
    pub fn containing<Tables>(
        self,
        conn: &Conn,
        organization: OrganizationId,
        text: &str,
    ) -> impl Fn() -> Filter<Tables> + use<Tables> {
        let (column, kind) = self.column();
        let has_index = matches!(conn, Conn::Sqlite(_)) && text.chars().count() >= TRIGRAM;
        let (begin, wanted, end) = if has_index {
            let phrase = format!("\"{}\"", text.replace('"', "\"\""));
            let matching = " AND number IN (SELECT rowid FROM searched_trigrams WHERE searched_trigrams MATCH ";
            (matching, phrase, "))")
        } else {
            (" AND text LIKE ", contains(text), " ESCAPE '\\')")
        };
        move || {
            let lines = format!("{column} IN (SELECT of_id FROM searched_texts WHERE organization_id = ");
            Box::new(
                sql::<Bool>(&lines)
                    .bind::<Text, _>(organization)
                    .sql(" AND kind = ")
                    .bind::<Text, _>(kind)
                    .sql(begin)
                    .bind::<Text, _>(wanted.clone())
                    .sql(end),
            )
        }
    }
}
