//! A mail server that keeps what it is given, for tests that read e-mails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The e-mails that came, and the way to them.
#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    emails: Arc<Mutex<Vec<String>>>,
    came: Arc<Notify>,
    closed: Arc<AtomicBool>,
}

impl MailServer {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            emails: Arc::default(),
            came: Arc::default(),
            closed: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().talk(socket));
            }
        });
        server
    }

    /// Takes no e-mails, or takes them again.
    pub fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::Relaxed);
    }

    /// What a server under test must be configured with to send here.
    pub fn options(&self) -> [(&'static str, String); 3] {
        [
            ("EVENWATT_MAIL_HOST", "127.0.0.1".to_owned()),
            ("EVENWATT_MAIL_PORT", self.port.to_string()),
            ("EVENWATT_MAIL_SECURITY", "none".to_owned()),
        ]
    }

    /// How many e-mails came to this address.
    pub fn count(&self, to: &str) -> usize {
        self.to(to).len()
    }

    fn to(&self, address: &str) -> Vec<String> {
        let emails = self.emails.lock().expect("no test panicked here");
        let header = format!("To: {address}");
        let mine = emails.iter().filter(|email| email.contains(&header));
        mine.cloned().collect()
    }

    /// The newest e-mail to an address, once there are this many.
    pub async fn email(&self, to: &str, count: usize) -> String {
        super::when(&self.came, || self.count(to) >= count).await;
        self.to(to).pop().expect("an e-mail")
    }

    /// The secret in the newest e-mail's link.
    pub async fn secret(&self, to: &str, count: usize) -> String {
        let email = self.email(to, count).await;
        let link = email.split_whitespace().find(|word| word.starts_with("http"));
        secret_of(link.expect("a link"))
    }

    async fn talk(self, socket: TcpStream) {
        let (reader, mut writer) = socket.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut answer = "220 ready".to_owned();
        loop {
            if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
            let Ok(Some(line)) = lines.next_line().await else {
                return;
            };
            let word = line.get(..4).unwrap_or_default().to_uppercase();
            answer = match word.as_str() {
                "MAIL" if self.closed.load(Ordering::Relaxed) => "451 come back later".to_owned(),
                "DATA" => {
                    let _ = writer.write_all(b"354 go on\r\n").await;
                    let mut email = String::new();
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        email.push_str(&line);
                        email.push('\n');
                    }
                    self.emails.lock().expect("no test panicked here").push(plain(&email));
                    self.came.notify_waiters();
                    "250 taken".to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 fine".to_owned(),
            };
        }
    }
}

/// The secret in a link of an e-mail or of an answer.
pub fn secret_of(link: &str) -> String {
    let path = link.split('?').next().unwrap_or_default();
    path.rsplit('/').next().expect("a secret").to_owned()
}

/// An e-mail without the encoding "quoted-printable".
fn plain(email: &str) -> String {
    if !email.contains("quoted-printable") {
        return email.to_owned();
    }
    email.replace("=\n", "").replace("=3D", "=").replace("=22", "\"")
}
