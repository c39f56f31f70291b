//! `evenwatt backup` and `evenwatt restore`: a copy of the store in a file, and back.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::Failure;
use crate::app::{self, Config, Dependencies};
use crate::people::organizations;
use crate::store::backup::{self, Replaced, Restore};
use crate::store::lock::Holder;
use crate::store::{StoreError, StoreLock};

/// Where the copy goes.
#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The file that is made; an existing one is not written over. It has every secret of the store: keep it as safe as that
    file: PathBuf,
}

/// Where the store comes from.
#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// A file that `evenwatt backup` made, of this version or an older one
    file: PathBuf,
    /// Also where the store has data, which is kept beside it
    #[arg(long)]
    replace: bool,
}

/// Writes the store of the configuration into a file.
pub(super) fn run(config: &Config, BackupArguments { file }: &BackupArguments) -> Result<(), Failure> {
    let settings = config.store_settings().map_err(Failure::Configuration)?;
    let begun = Instant::now();
    let bytes = backup::back_up(&settings.url, file).map_err(|error| anyhow!("no backup was made: {}", why(error)))?;
    eprintln!(
        "{} has the {}: {}, checked, in {:.1} s",
        file.display(),
        settings.url,
        size(bytes),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Makes the store of the configuration of a file.
pub(super) fn restore(config: &Config, RestoreArguments { file, replace }: &RestoreArguments) -> Result<(), Failure> {
    let url = config.store_settings().map_err(Failure::Configuration)?.url;
    let Dependencies { clock, ids, .. } = Dependencies::default();
    let now = clock.now();
    let holder = Holder::this_process(ids.next_raw(now), now);
    let lock = StoreLock::take(&url, &holder).context("nothing was restored")?;
    let mut doubted = 0;
    let how = Restore {
        replace: *replace,
        now,
        has_data: organizations::is_any_organization,
        settle: &mut |conn| {
            doubted = app::restored::settle(conn, now)?;
            Ok(())
        },
    };
    let replaced = backup::restore(&url, file, how).map_err(|error| anyhow!("nothing was restored: {}", why(error)))?;
    drop(lock);
    eprintln!("the {url} is that of {}", file.display());
    match replaced {
        Replaced::Nothing => {}
        Replaced::File(path) => eprintln!("what was there is in {}; remove it when nobody needs it", path.display()),
        Replaced::Schema(schema) => {
            eprintln!("what was there is in the schema {schema}; DROP SCHEMA {schema} CASCADE when nobody needs it");
        }
    }
    eprintln!(
        "{doubted} connector(s) count at all that they can draw until they confirm a limit. Keys and logins that were revoked since \
         the backup work again; events that webhooks received since may come again, under the same ids"
    );
    Ok(())
}

/// The sentence of an error.
fn why(error: StoreError) -> String {
    match error {
        StoreError::Failed(why) => why,
        other => other.to_string(),
    }
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
