// A mail server that keeps what it is given, for tests that follow the link of an e-mail.
import { createServer } from "node:net";

/** An e-mail without the encoding "quoted-printable". */
const plain = (mail) =>
  mail.includes("quoted-printable")
    ? mail.replaceAll("=\r\n", "").replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)))
    : mail;

/** Listens on a free port; `options` lead a server under test here, `next` waits for the next e-mail. */
export async function startMail() {
  const mails = [];
  let wake = () => {};
  const server = createServer((socket) => {
    let waiting = "";
    let body;
    const say = (line) => socket.write(`${line}\r\n`);
    socket.on("error", () => {});
    socket.on("data", (piece) => {
      waiting += piece;
      for (let end = waiting.indexOf("\r\n"); end >= 0; end = waiting.indexOf("\r\n")) {
        const line = waiting.slice(0, end);
        waiting = waiting.slice(end + 2);
        if (body !== undefined) {
          if (line !== ".") {
            body += `${line}\r\n`;
            continue;
          }
          mails.push(plain(body));
          body = undefined;
          wake();
          say("250 taken");
        } else if (/^data/i.test(line)) {
          body = "";
          say("354 go on");
        } else if (/^quit/i.test(line)) {
          say("221 bye");
          socket.end();
        } else say("250 fine");
      }
    });
    say("220 ready");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const next = async () => {
    while (!mails.length) await new Promise((came) => (wake = came));
    return mails.shift();
  };
  return {
    options: {
      EVENWATT_MAIL_HOST: "127.0.0.1",
      EVENWATT_MAIL_PORT: String(server.address().port),
      EVENWATT_MAIL_SECURITY: "none",
    },
    next,
    close: () => new Promise((closed) => server.close(closed)),
  };
}
