//! `evenwatt operator`: the first operators, and those who cannot get in any more.

use std::time::Duration;

use anyhow::anyhow;
use clap::Subcommand;

use super::{Failure, print, whose};
use crate::app::{self, Config, Dependencies};
use crate::http::Faults;
use crate::http::fields::{Field, Path};
use crate::panel::operators::{self, NewOperator, PanelLinks, Role};
use crate::people::users::Email;
use crate::store::Conn;
use crate::store::cause::{self, Cause, ServerPart};
use kernel::spelled::Spelled;
use kernel::text::Name;
use kernel::{Moment, OrganizationId};

/// Operators, who work at the panel.
#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Invites an operator and prints the link by which they choose a password
    Create {
        /// The address to log in with
        #[arg(long, value_parser = parse_email)]
        email: Email,
        /// What they are called
        #[arg(long)]
        name: Option<Name>,
        /// What they may do: Admin, Operator or Viewer
        #[arg(long, default_value = "Admin", value_parser = parse_role)]
        role: Role,
        /// Where they work; needed where there are several organizations
        #[arg(long, value_name = "ID")]
        organization: Option<OrganizationId>,
        /// Makes them administer this installation, too: they may make organizations, and join each
        #[arg(long)]
        installation_admin: bool,
    },
    /// Makes somebody who has an account administer this installation: make organizations, and join each
    InstallationAdmin {
        /// The address that they log in with
        #[arg(value_parser = parse_email)]
        email: Email,
        /// Takes that away
        #[arg(long)]
        revoke: bool,
    },
    /// Takes an operator's second factor and links to login providers away, ends all logins and prints a link to another password
    Reset {
        /// The address that they log in with
        #[arg(value_parser = parse_email)]
        email: Email,
    },
}

pub(super) fn parse_email(text: &str) -> Result<Email, String> {
    let mut faults = Faults::default();
    let read = Email::read(&text.into(), Path::Root, &mut faults);
    read.ok_or_else(|| "must be an e-mail address such as ada@example.com".to_owned())
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::from_spelling(text).ok_or_else(|| format!("must be one of {}", Role::choices()))
}

/// The store of the configuration, with every migration.
pub(super) fn open(config: &Config) -> Result<Conn, Failure> {
    app::migrate(config)?;
    let settings = config.store_settings().map_err(Failure::Configuration)?;
    Ok(Conn::open(&settings.url, settings.synchronous).map_err(anyhow::Error::from)?)
}

/// Does it on the store of the configuration, also beside a running server.
pub(super) fn run(config: &Config, command: &OperatorCommand) -> Result<(), Failure> {
    let mut conn = open(config)?;
    let Dependencies { clock, ids, .. } = Dependencies::default();
    let moment = Moment::new(clock.now(), ids);
    let links = config.panel_links(&app::base_url(config));
    cause::during(Cause::Server(ServerPart::CommandLine), || {
        conn.write(|conn| match command {
            OperatorCommand::Create { email, name, role, organization, installation_admin } => {
                let organization = whose(conn, *organization, &moment)?.id;
                let new = NewOperator { email: email.clone(), name: name.clone(), role: *role, locations: None };
                create(conn, organization, &new, *installation_admin, (&links, &moment))
            }
            OperatorCommand::InstallationAdmin { email, revoke } => administer(conn, email, !revoke, &moment),
            OperatorCommand::Reset { email } => reset(conn, email, (&links, &moment)),
        })
    })?;
    Ok(())
}

pub(super) fn create(
    conn: &mut Conn,
    organization: OrganizationId,
    new: &NewOperator,
    installation_admin: bool,
    (links, moment): (&PanelLinks, &Moment),
) -> anyhow::Result<()> {
    let link =
        operators::invite(conn, organization, new, (links, moment)).map_err(|error| anyhow!("{}", error.message()))?;
    if installation_admin {
        administer(conn, &new.email, true, moment)?;
    }
    match link {
        Some(link) => {
            eprintln!("{} chooses a password here, within {} hours:", new.email.as_str(), hours(links.invitation));
            print(&format!("{link}\n"));
        }
        None => eprintln!("{} has an account already, and logs in as before", new.email.as_str()),
    }
    Ok(())
}

fn administer(conn: &mut Conn, email: &Email, is_one: bool, moment: &Moment) -> anyhow::Result<()> {
    operators::make_installation_admin(conn, email.as_str(), is_one, moment)
        .map_err(|error| anyhow!("{}", error.message()))?;
    eprintln!("{} {} this installation", email.as_str(), if is_one { "administers" } else { "no longer administers" });
    Ok(())
}

fn reset(conn: &mut Conn, email: &Email, (links, moment): (&PanelLinks, &Moment)) -> anyhow::Result<()> {
    let link =
        operators::reset(conn, email.as_str(), (links, moment)).map_err(|error| anyhow!("{}", error.message()))?;
    eprintln!("{} chooses another password here, within {} minutes:", email.as_str(), links.reset.as_secs() / 60);
    print(&format!("{link}\n"));
    Ok(())
}

fn hours(span: Duration) -> u64 {
    span.as_secs() / 3_600
}
