//! `evenwatt organization`: which organizations this installation has, and new ones.

use std::fmt::Write as _;

use clap::Subcommand;

use super::operators::{open, parse_email};
use super::{Failure, print};
use crate::app::{self, Config, Dependencies};
use crate::events::Change;
use crate::panel::operators::{NewOperator, PanelLinks, Role};
use crate::people::organizations::{self, NewOrganization, Organization};
use crate::people::users::Email;
use crate::store::Conn;
use crate::store::cause::{self, Cause, ServerPart};
use kernel::Moment;
use kernel::text::Name;

/// Organizations: whose data it is.
#[derive(Debug, Subcommand)]
pub(super) enum OrganizationCommand {
    /// Creates an organization and prints its id; with an operator also the link by which they choose a password
    Create {
        /// What it is called
        name: Name,
        /// The address of its first operator, who may do everything there
        #[arg(long, value_name = "EMAIL", value_parser = parse_email)]
        operator: Option<Email>,
    },
    /// Lists all organizations
    List,
}

/// Does it on the store of the configuration, also beside a running server.
pub(super) fn run(config: &Config, command: &OrganizationCommand) -> Result<(), Failure> {
    let mut conn = open(config)?;
    let Dependencies { clock, ids, .. } = Dependencies::default();
    let moment = Moment::new(clock.now(), ids);
    let links = config.panel_links(&app::base_url(config));
    cause::during(Cause::Server(ServerPart::CommandLine), || {
        conn.write(|conn| match command {
            OrganizationCommand::Create { name, operator } => create(conn, name, operator.as_ref(), (&links, &moment)),
            OrganizationCommand::List => list(conn),
        })
    })?;
    Ok(())
}

fn create(
    conn: &mut Conn,
    name: &Name,
    operator: Option<&Email>,
    (links, moment): (&PanelLinks, &Moment),
) -> anyhow::Result<()> {
    let new = NewOrganization { name: name.clone(), support_contact: None, address: None };
    let organization = Organization::of(new, moment);
    organizations::create(&mut Change::new(conn, organization.id, moment), &organization)?;
    eprintln!("Organization {}:", organization.name);
    print(&format!("{}\n", organization.id));
    let Some(email) = operator else {
        return Ok(());
    };
    let new = NewOperator { email: email.clone(), name: None, role: Role::Admin, locations: None };
    super::operators::create(conn, organization.id, &new, false, (links, moment))
}

fn list(conn: &mut Conn) -> anyhow::Result<()> {
    let mut text = format!("{:24}  {:24}  {}\n", "id", "created", "name");
    for organization in organizations::list_organizations(conn)? {
        let (id, created) = (organization.id.to_string(), organization.created_at.to_string());
        writeln!(text, "{id:24}  {created:24}  {}", organization.name)?;
    }
    print(&text);
    Ok(())
}
