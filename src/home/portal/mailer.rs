//! The mailer: takes queued e-mails to the mail server, one after the other, again and again until it takes them.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::emails::{self, Email, Links, Written};
use crate::http::Context;
use crate::store::StoreResult;

/// How often the queue is looked at when nobody says that there is an e-mail.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);
/// How long a mail server may take for an e-mail.
const PATIENCE: Duration = Duration::from_secs(30);

crate::spelled! {
    /// How the way to the mail server is kept secret.
    pub enum Security {
        /// Not at all: for a server on the same machine.
        None = "none",
        /// Plain at first, TLS before anything is said.
        StartTls = "starttls",
        /// TLS from the start.
        Tls = "tls",
    }
}

/// Where the mail server is and what it asks for.
#[derive(Clone)]
pub struct MailSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is kept secret.
    pub security: Security,
    /// Name and password; none where it asks for none.
    pub login: Option<(String, String)>,
    /// The address that e-mails are from, such as `no-reply@example.com`; the name beside it is the operator's.
    pub from: String,
    /// An authority that signed its certificate, as PEM, besides those that the machine trusts.
    pub authority: Option<Vec<u8>>,
}

/// Why e-mails cannot be sent as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum MailFault {
    /// The sender is no address.
    #[error("mail.from is \"{0}\", but must be an address such as Harbour Charging <no-reply@example.com>")]
    From(String),
    /// The authority is no certificate, or the name no name.
    #[error("mail: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// Connects and logs in as for an e-mail, and sends none. Answers why that does not work.
pub async fn try_mail_server(settings: MailSettings, within: Duration) -> Result<(), String> {
    let mailer = Mailer::new(settings).map_err(|error| error.to_string())?;
    match tokio::time::timeout(within, mailer.transport.test_connection()).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("it closed the connection".to_owned()),
        Ok(Err(error)) => Err(format!("{:#}", anyhow::Error::from(error))),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// The way to the mail server.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    wake: Arc<Notify>,
}

impl Mailer {
    pub(super) fn new(settings: MailSettings) -> Result<Self, MailFault> {
        let MailSettings { host, port, security, login, from, authority } = settings;
        let tls = |host: &str| -> Result<TlsParameters, MailFault> {
            let mut parameters = TlsParameters::builder(host.to_owned());
            if let Some(pem) = &authority {
                parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
            }
            Ok(parameters.build()?)
        };
        let tls = match security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(tls(&host)?),
            Security::Tls => Tls::Wrapper(tls(&host)?),
        };
        let from = from.parse().map_err(|_| MailFault::From(from))?;
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls).timeout(Some(PATIENCE));
        if let Some((name, password)) = login {
            builder = builder.credentials(Credentials::new(name, password));
        }
        Ok(Self { transport: builder.build(), from, wake: Arc::default() })
    }

    /// Says that there is an e-mail.
    pub(super) fn notify(&self) {
        self.wake.notify_one();
    }

    /// Sends what is queued until it is stopped.
    pub(super) fn start(self: Arc<Self>, context: Context, links: Links) -> JoinHandle<()> {
        let mut ticks = context.clock.ticks(LOOKED_AT_EVERY);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = ticks.tick() => {}
                }
                if let Err(error) = self.deliver(&context, &links).await {
                    tracing::error!(%error, "the queue of e-mails could not be read or written");
                }
            }
        })
    }

    async fn deliver(&self, context: &Context, links: &Links) -> StoreResult<()> {
        loop {
            let now = context.clock.now();
            let due = context.db.read(move |conn| emails::due(conn, now)).await?;
            if due.is_empty() {
                return Ok(());
            }
            for email in due {
                self.send(context, links, email).await?;
            }
        }
    }

    async fn send(&self, context: &Context, links: &Links, email: Email) -> StoreResult<()> {
        let (now, links, queued) = (context.clock.now(), links.clone(), email.clone());
        let write = context.db.write(move |conn| queued.write(conn, now, &links));
        let (id, kind) = (email.id, email.kind);
        let outcome = match write.await {
            Ok(Some(written)) => self.hand_over(written).await,
            Ok(None) => Ok(()), // there is nobody to write to
            Err(error) => Err(error.to_string()),
        };
        let now = context.clock.now();
        let Err(error) = outcome else {
            tracing::debug!(%id, %kind, "an e-mail is done with");
            return context.db.write(move |conn| emails::done(conn, id, now)).await;
        };
        let again = context.db.write(move |conn| emails::postpone(conn, &email, now)).await?;
        match again {
            true => tracing::warn!(%id, %kind, error, "an e-mail was not sent and is tried again"),
            false => {
                tracing::error!(%id, %kind, error, "an e-mail could not be sent for days and is given up")
            }
        }
        Ok(())
    }

    async fn hand_over(&self, written: Written) -> Result<(), String> {
        let Written { from, to, subject, body } = written;
        let to: Mailbox = to.parse().map_err(|_| "the address cannot be written to")?;
        let message = Message::builder()
            .from(Mailbox::new(Some(from), self.from.email.clone()))
            .message_id(None)
            .to(to)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|error| error.to_string())?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| error.to_string())
    }
}
