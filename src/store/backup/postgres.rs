//! Backups of PostgreSQL: an archive of `pg_dump`, which reads everything in one snapshot.
//!
//! Sequences are outside of snapshots. `pg_dump` reads them after it took its own, so that each is at least as far as the rows.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};

use super::tools::Tool;
use super::{Replaced, Restore, failed, not_ours};
use crate::store::connection::{Conn, StoreUrl, Synchronous};
use crate::store::error::StoreResult;
use crate::store::migrate;

/// The history of migrations, by which an archive is known.
const HISTORY: &str = "__diesel_schema_migrations";
/// What is left out: whose the tables are, and who may read them, is decided where they are restored.
const PLAIN: [&str; 3] = ["--no-owner", "--no-privileges", "--no-comments"];

#[derive(QueryableByName)]
struct Server {
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
    #[diesel(sql_type = Bool)]
    is_used: bool,
}

impl Server {
    fn ask(conn: &mut PgConnection) -> StoreResult<Self> {
        let question = format!(
            "SELECT current_setting('server_version_num') AS version, current_schema()::text AS schema, \
             to_regclass('{HISTORY}') IS NOT NULL AS is_used"
        );
        Ok(sql_query(question).get_result(conn)?)
    }

    fn major(&self) -> u32 {
        self.version.parse::<u32>().unwrap_or_default() / 10_000
    }

    fn schema(&self) -> StoreResult<&str> {
        self.schema.as_deref().ok_or_else(|| failed("the database has no schema that its user finds by default"))
    }
}

fn connect(url: &str) -> StoreResult<PgConnection> {
    PgConnection::establish(url).map_err(|error| failed(format!("the database cannot be reached: {error}")))
}

pub(super) fn back_up(url: &str, partial: &Path) -> StoreResult<()> {
    let server = Server::ask(&mut connect(url)?)?;
    if !server.is_used {
        return Err(failed("there is no store in the database"));
    }
    let dump = Tool::find("pg_dump", url, server.major())?;
    let archive = Archiver::new(url, &server)?;
    let schema = format!("--schema=\"{}\"", server.schema()?);
    let into = format!("--file={}", partial.display());
    let how = ["--format=custom", "--strict-names", "--lock-wait-timeout=60000", schema.as_str(), into.as_str()];
    dump.on_database(&[how.as_slice(), &PLAIN].concat())?;
    archive.migrations(partial)?;
    archive.read_all(partial)
}

/// What looks into archives.
struct Archiver(Tool);

impl Archiver {
    fn new(url: &str, server: &Server) -> StoreResult<Self> {
        Tool::find("pg_restore", url, server.major()).map(Self)
    }

    /// The schema that an archive of ours is about.
    fn schema(&self, file: &Path) -> StoreResult<String> {
        let list = self.0.on_file(&["--list"], file)?;
        let mut tables = list.lines().filter_map(|line| line.split_once(" TABLE DATA ")?.1.split_once(' '));
        let of_ours = tables.find(|(_, rest)| rest.split(' ').next() == Some(HISTORY));
        of_ours.map(|(schema, _)| schema.to_owned()).ok_or_else(|| not_ours(file))
    }

    /// The migrations in an archive.
    fn migrations(&self, file: &Path) -> StoreResult<Vec<String>> {
        let table = format!("--table={HISTORY}");
        let text = self.0.on_file(&["--data-only", table.as_str(), "--file=-"], file)?;
        let rows = text.lines().skip_while(|line| !line.starts_with("COPY ")).skip(1);
        let rows = rows.take_while(|line| *line != "\\.");
        let found: Vec<String> = rows.filter_map(|row| row.split('\t').next().map(str::to_owned)).collect();
        if found.is_empty() { Err(not_ours(file)) } else { Ok(found) }
    }

    /// Reads an archive to its end, which fails where something of it is missing or damaged.
    fn read_all(&self, file: &Path) -> StoreResult<()> {
        self.0.on_file(&["--file=/dev/null"], file).map(drop)
    }
}

pub(super) fn restore((store, url): (&StoreUrl, &str), file: &Path, how: Restore<'_>) -> StoreResult<Replaced> {
    let mut conn = connect(url)?;
    let server = Server::ask(&mut conn)?;
    let schema = server.schema()?.to_owned();
    let archive = Archiver::new(url, &server)?;
    migrate::admit(&archive.migrations(file)?)?;
    let of_archive = archive.schema(file)?;
    if of_archive != schema {
        return Err(failed(format!(
            "{} has the schema {of_archive}, and the store is in the schema {schema}",
            file.display()
        )));
    }
    archive.read_all(file)?;
    let mut asked = Conn::Pg(conn);
    let has_data = server.is_used && (how.has_data)(&mut asked)?;
    how.admit(store, has_data)?;
    let Conn::Pg(mut conn) = asked else {
        return Err(failed("the store is not PostgreSQL"));
    };

    let aside = format!("evenwatt_replaced_{}", how.suffix().to_lowercase());
    conn.batch_execute(&format!("CREATE SCHEMA \"{aside}\""))?;
    let moved = conn.transaction(|conn| conn.batch_execute(&moving(&schema, &aside)));
    if let Err(error) = moved {
        conn.batch_execute(&format!("DROP SCHEMA \"{aside}\""))?;
        return Err(error.into());
    }
    match fill((store, &archive), file, &schema, how) {
        Ok(()) => {
            if has_data {
                return Ok(Replaced::Schema(aside));
            }
            conn.batch_execute(&format!("DROP SCHEMA \"{aside}\" CASCADE"))?;
            Ok(Replaced::Nothing)
        }
        Err(error) => {
            let back = format!("{} {} DROP SCHEMA \"{aside}\";", dropping(&schema), moving(&aside, &schema));
            let put_back = conn.transaction(|conn| conn.batch_execute(&back));
            put_back.map_err(|again| {
                failed(format!("{error}; what was there is in the schema {aside}, and cannot be put back: {again}"))
            })?;
            Err(error)
        }
    }
}

/// Fills a schema without tables from an archive.
fn fill((store, archive): (&StoreUrl, &Archiver), file: &Path, schema: &str, how: Restore<'_>) -> StoreResult<()> {
    let StoreUrl::Postgres(url) = store else {
        return Err(failed("the store is not PostgreSQL"));
    };
    // Of an index for searches. Where it may not be made, the archive says what is missing.
    let made = connect(url)?.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm");
    let only = format!("--schema={schema}");
    let path = file.to_str().ok_or_else(|| failed(format!("{} is no UTF-8", file.display())))?;
    let arguments = [["--single-transaction", "--exit-on-error", only.as_str()].as_slice(), &PLAIN, &[path]].concat();
    archive.0.on_database(&arguments).map_err(|error| match made {
        Ok(()) => error,
        Err(why) => failed(format!("{error}; the extension pg_trgm cannot be made: {why}")),
    })?;
    let mut conn = Conn::open(store, Synchronous::Full)?;
    migrate::run(&mut conn)?;
    conn.write(|conn| (how.settle)(conn))?;
    // Without statistics the first queries of a large store would be planned as if it were empty.
    connect(url)?.batch_execute("ANALYZE")?;
    Ok(())
}

/// Tables and functions of a schema, without those of extensions.
fn objects(schema: &str, (of_table, of_routine): (&str, &str)) -> String {
    let own = |class: &str, column: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '{class}'::regclass AND d.objid = {column} AND d.deptype = 'e')"
        )
    };
    format!(
        "DO $$ DECLARE one RECORD; BEGIN \
         FOR one IN SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{schema}' AND c.relkind IN ('r', 'p') AND {tables} \
         LOOP EXECUTE '{of_table}'; END LOOP; \
         FOR one IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p \
         JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = '{schema}' AND {routines} \
         LOOP EXECUTE '{of_routine}'; END LOOP; END $$;",
        tables = own("pg_class", "c.oid"),
        routines = own("pg_proc", "p.oid"),
    )
}

/// Moves what is in a schema to another; indexes, triggers and sequences go with their tables.
fn moving(from: &str, to: &str) -> String {
    let to_schema = format!("' || one.name || ' SET SCHEMA \"{to}\"");
    objects(from, (&format!("ALTER TABLE {to_schema}"), &format!("ALTER ROUTINE {to_schema}")))
}

/// Drops what is in a schema.
fn dropping(schema: &str) -> String {
    let each = "' || one.name || ' CASCADE";
    objects(schema, (&format!("DROP TABLE IF EXISTS {each}"), &format!("DROP ROUTINE IF EXISTS {each}")))
}
