// A station of OCPP 1.6 that does what it is asked, in a tab of the browser, which has WebSockets in every version of Node: where a test
// needs a charger at a server that has no demo.

/** Connects and boots; it begins and ends transactions as the server asks for. `close` hangs up. */
export async function connectStation(browser, url, energy = 2_500) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.evaluate(run, { url, energy });
  return { close: () => context.close() };
}

/** Runs in the tab. */
async function run({ url, energy }) {
  const socket = new WebSocket(url, "ocpp1.6");
  const waiting = new Map();
  let number = 0;
  const call = (action, payload) =>
    new Promise((answered) => {
      const id = `c${++number}`;
      waiting.set(id, answered);
      socket.send(JSON.stringify([2, id, action, payload]));
    });
  const now = () => new Date().toISOString();
  const status = (said) => call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: said });
  const act = {
    async RemoteStartTransaction({ connectorId, idTag }) {
      await call("StartTransaction", { connectorId, idTag, meterStart: 0, timestamp: now() });
      await status("Charging");
    },
    async RemoteStopTransaction({ transactionId }) {
      await call("StopTransaction", { transactionId, meterStop: energy, timestamp: now(), reason: "Remote" });
      await status("Available");
    },
  };
  socket.addEventListener("message", ({ data }) => {
    const [kind, id, action, payload] = JSON.parse(data);
    if (kind === 3) waiting.get(id)?.(action);
    if (kind !== 2) return;
    socket.send(JSON.stringify([3, id, action in act ? { status: "Accepted" } : {}]));
    void act[action]?.(payload);
  });
  await new Promise((opened, failed) => {
    socket.addEventListener("open", opened);
    socket.addEventListener("error", failed);
  });
  await call("BootNotification", { chargePointVendor: "Test", chargePointModel: "Test" });
  await status("Available");
}
