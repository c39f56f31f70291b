//! Frames that are large, torn, compressed or of odd types.

use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::{Value, json};

use crate::support::{FakeStation, RawSocket, TestApp, TestStation};

const TEXT: u8 = 0x81;
const TEXT_GOES_ON: u8 = 0x01;
const GOES_ON: u8 = 0x00;
const LAST: u8 = 0x80;
const PACKED_TEXT: u8 = 0xc1;
const PACKED_GOES_ON: u8 = 0x41;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const CLOSE: u8 = 0x88;

/// The largest message that is taken where nothing is configured.
const MOST: usize = 262_144;
/// The codes of RFC 6455 §7.4.
const NORMAL: u16 = 1000;
const PROTOCOL: u16 = 1002;
const INVALID: u16 = 1007;
const SIZE: u16 = 1009;

const OCPP: (&str, &str) = ("Sec-WebSocket-Protocol", "ocpp1.6");
const DEFLATE: (&str, &str) = ("Sec-WebSocket-Extensions", "permessage-deflate");

async fn socket(station: &TestStation) -> RawSocket {
    RawSocket::open(&station.url, &[OCPP]).await
}

async fn packing(station: &TestStation) -> RawSocket {
    RawSocket::open(&station.url, &[OCPP, DEFLATE]).await
}

fn boot(id: &str) -> String {
    let payload = json!({"chargePointVendor": "Acme", "chargePointModel": "One"});
    json!([2, id, "BootNotification", payload]).to_string()
}

/// A call with so many bytes in all.
fn call_of(bytes: usize) -> String {
    let around = json!([2, "1", "DataTransfer", {"vendorId": "Acme", "data": ""}]).to_string();
    let data = "x".repeat(bytes - around.len());
    json!([2, "1", "DataTransfer", {"vendorId": "Acme", "data": data}]).to_string()
}

fn pack(text: &str) -> Vec<u8> {
    let mut packed = Vec::with_capacity(text.len() + 64);
    Compress::new(Compression::default(), false)
        .compress_vec(text.as_bytes(), &mut packed, FlushCompress::Sync)
        .expect("packed");
    assert!(packed.ends_with(&[0, 0, 0xff, 0xff]));
    packed.truncate(packed.len() - 4);
    packed
}

fn unpack(packed: &[u8]) -> String {
    let mut text = Vec::with_capacity(MOST);
    let whole = [packed, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false).decompress_vec(&whole, &mut text, FlushDecompress::Sync).expect("unpacked");
    String::from_utf8(text).expect("UTF-8")
}

/// The answer to the call with this id; calls of the server are passed over.
async fn answer(socket: &mut RawSocket, id: &str) -> Value {
    loop {
        let frame = socket.next().await.expect("an answer before the end");
        let text = match frame.first {
            TEXT => String::from_utf8(frame.content).expect("UTF-8"),
            PACKED_TEXT => unpack(&frame.content),
            other => panic!("a frame {other:#x} {:?}", frame.content),
        };
        let message: Value = serde_json::from_str(&text).expect("JSON");
        if message[0] != 2 && message[1] == id {
            return message;
        }
    }
}

async fn flags(app: &TestApp, station: &TestStation) -> String {
    app.client.get(&station.path).await.ok()["flags"].to_string()
}

// ---- large frames

#[actix_web::test]
async fn what_comes_together_with_the_handshake_is_heard() {
    let app = TestApp::start().await;
    let station = app.station("Early").await;
    let early = [RawSocket::masked(PING, b"there?"), RawSocket::masked(TEXT, boot("1").as_bytes())].concat();
    let mut socket = RawSocket::open_and_send(&station.url, &[OCPP], &early).await;
    assert!(socket.head.starts_with("HTTP/1.1 101 "), "{}", socket.head);
    assert_eq!(socket.next().await.map(|frame| frame.first), Some(PONG));
    assert_eq!(answer(&mut socket, "1").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn a_handshake_that_is_refused_is_answered_whole_and_its_connection_ends() {
    let app = TestApp::start().await;
    let nobody = app.station_url("nothere1");
    let (host, _) = nobody.strip_prefix("ws://").and_then(|rest| rest.split_once('/')).expect("a URL of WebSockets");
    for (url, status) in
        [(nobody.clone(), 404), (format!("ws://{host}/healthz"), 200), (format!("ws://{host}/v1.1/sessions"), 401)]
    {
        let early = RawSocket::masked(TEXT, boot("1").as_bytes());
        let mut socket = RawSocket::open_and_send(&url, &[OCPP], &early).await;
        assert!(socket.head.starts_with(&format!("HTTP/1.1 {status} ")), "{}", socket.head);
        assert_eq!(socket.header("connection").as_deref(), Some("close"), "{url}");
        let length = socket.header("content-length").expect("a length").parse();
        assert_eq!(Ok(socket.rest().await.len()), length, "{url}");
    }
}

#[actix_web::test]
async fn a_stop_with_the_readings_of_a_day_passes_in_one_frame() {
    let app = TestApp::start().await;
    let station = app.station("Large").await;
    let mut charger = FakeStation::connect(&station.url).await;
    charger.boot().await;
    let id = charger.start(1, "0411AA22", 0, "2026-04-24T03:06:00Z").await;
    let reading = |minute: usize| {
        let value = json!({"value": minute.to_string(), "measurand": "Energy.Active.Import.Register", "unit": "Wh"});
        json!({"timestamp": "2026-04-24T03:06:30Z", "sampledValue": [value]})
    };
    let data: Vec<Value> = (0..720).map(reading).collect();
    let stop = json!({
        "transactionId": id, "meterStop": 719, "timestamp": "2026-04-24T03:06:40Z", "transactionData": data,
    });
    assert!(stop.to_string().len() > 90_000, "{}", stop.to_string().len());
    let frame = charger.call_frame("StopTransaction", stop).await;
    assert_eq!(frame[0], 3, "{frame}");
}

#[actix_web::test]
async fn a_frame_may_be_as_large_as_a_message() {
    let app = TestApp::start().await;
    let station = app.station("Exactly").await;
    let mut socket = socket(&station).await;
    assert!(socket.frame(TEXT, call_of(MOST).as_bytes()).await);
    answer(&mut socket, "1").await;
}

#[actix_web::test]
async fn one_byte_more_is_closed_and_noted_at_the_station() {
    let app = TestApp::start().await;
    let station = app.station("One more").await;
    let mut socket = socket(&station).await;
    socket.frame(TEXT, call_of(MOST + 1).as_bytes()).await;
    assert_eq!(socket.closed().await, Some(SIZE));
    let flags = flags(&app, &station).await;
    assert!(flags.contains("sends messages of more than 262144 bytes"), "{flags}");
}

#[actix_web::test]
async fn a_frame_is_closed_when_it_is_announced() {
    let app = TestApp::start().await;
    let station = app.station("Announcer").await;
    for length in [MOST as u64 + 1, 1 << 40, u64::MAX >> 1, u64::MAX] {
        let mut socket = socket(&station).await;
        socket.announce(TEXT, length).await;
        assert_eq!(socket.closed().await, Some(SIZE), "{length}");
    }
}

#[actix_web::test]
async fn what_follows_an_announcement_that_is_too_large_ends_with_the_connection() {
    let app = TestApp::start().await;
    let station = app.station("Streamer").await;
    let mut socket = socket(&station).await;
    socket.announce(TEXT, 1 << 40).await;
    let streaming = async { while socket.send(&[b'x'; 65_536]).await {} };
    let ended = tokio::time::timeout(Duration::from_secs(30), streaming).await;
    assert!(ended.is_ok(), "the server listens for ever");
}

#[actix_web::test]
async fn frames_that_go_on_are_added_up() {
    let app = TestApp::start().await;
    let station = app.station("In pieces").await;
    let mut socket = socket(&station).await;
    socket.frame(TEXT_GOES_ON, &[b' '; 200_000]).await;
    socket.announce(GOES_ON, 62_145).await;
    assert_eq!(socket.closed().await, Some(SIZE));
}

#[actix_web::test]
async fn a_message_in_pieces_is_heard_whole() {
    let app = TestApp::start().await;
    let station = app.station("Pieces").await;
    let mut socket = socket(&station).await;
    let text = boot("torn");
    let (left, right) = text.split_at(20);
    socket.frame(TEXT_GOES_ON, left.as_bytes()).await;
    socket.frame(GOES_ON, b"").await;
    socket.frame(LAST, right.as_bytes()).await;
    assert_eq!(answer(&mut socket, "torn").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn a_byte_at_a_time_is_heard_whole() {
    let app = TestApp::start().await;
    let station = app.station("Slow").await;
    let mut socket = socket(&station).await;
    let text = r#"[2,"h","Heartbeat",{}]"#;
    for byte in text.bytes() {
        socket.frame(if byte == b'[' { TEXT_GOES_ON } else { GOES_ON }, &[byte]).await;
    }
    socket.frame(LAST, b"").await;
    assert!(answer(&mut socket, "h").await[2]["currentTime"].is_string());
}

#[actix_web::test]
async fn a_ping_inside_a_message_is_answered_at_once() {
    let app = TestApp::start().await;
    let station = app.station("Pinging").await;
    let mut socket = socket(&station).await;
    let text = boot("b");
    socket.frame(TEXT_GOES_ON, &text.as_bytes()[..10]).await;
    socket.frame(PING, b"are you there").await;
    let pong = socket.next().await.expect("a pong");
    assert_eq!((pong.first, pong.content.as_slice()), (PONG, &b"are you there"[..]));
    socket.frame(LAST, &text.as_bytes()[10..]).await;
    assert_eq!(answer(&mut socket, "b").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn the_largest_message_can_be_configured() {
    let app = TestApp::start_with(&[("EVENWATT_OCPP_MESSAGE_BYTES", "1000")]).await;
    let station = app.station("Small").await;
    let mut fits = socket(&station).await;
    fits.frame(TEXT, call_of(1_000).as_bytes()).await;
    answer(&mut fits, "1").await;
    let mut socket = socket(&station).await;
    socket.announce(TEXT, 1_001).await;
    assert_eq!(socket.closed().await, Some(SIZE));
}

#[actix_web::test]
async fn a_station_that_was_closed_for_its_size_may_come_back() {
    let app = TestApp::start().await;
    let station = app.station("Back").await;
    let mut first = socket(&station).await;
    first.announce(TEXT, 1 << 30).await;
    assert_eq!(first.closed().await, Some(SIZE));
    let mut second = socket(&station).await;
    second.frame(TEXT, boot("again").as_bytes()).await;
    assert_eq!(answer(&mut second, "again").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn a_listener_of_events_has_nothing_to_say_and_may_not_announce_much() {
    let app = TestApp::start().await;
    let url = app.client.base.replacen("http", "ws", 1) + "/v1.1/realtime";
    let key = format!("Bearer {}", app.client.key);
    let headers = [("Authorization", key.as_str())];
    let mut loud = RawSocket::open(&url, &headers).await;
    loud.announce(TEXT, 1 << 40).await;
    assert_eq!(loud.closed().await, Some(SIZE));
    let mut talker = RawSocket::open(&url, &headers).await;
    talker.frame(TEXT, b"hello").await;
    assert_eq!(talker.closed().await, Some(1008));
}

// ---- frames that break the rules

/// What the server closes with after this frame.
async fn closed_after(first: u8, content: &[u8]) -> Option<u16> {
    let app = TestApp::start().await;
    let station = app.station("Odd").await;
    let mut socket = socket(&station).await;
    socket.frame(first, content).await;
    socket.closed().await
}

#[actix_web::test]
async fn a_reserved_bit_without_an_extension_is_against_the_protocol() {
    assert_eq!(closed_after(PACKED_TEXT, b"[]").await, Some(PROTOCOL));
    assert_eq!(closed_after(0xa1, b"[]").await, Some(PROTOCOL));
    assert_eq!(closed_after(0x91, b"[]").await, Some(PROTOCOL));
}

#[actix_web::test]
async fn an_opcode_that_does_not_exist_is_against_the_protocol() {
    assert_eq!(closed_after(0x83, b"[]").await, Some(PROTOCOL));
    assert_eq!(closed_after(0x8f, b"").await, Some(PROTOCOL));
}

#[actix_web::test]
async fn a_ping_that_is_too_long_or_in_pieces_is_against_the_protocol() {
    assert_eq!(closed_after(PING, &[0; 126]).await, Some(PROTOCOL));
    assert_eq!(closed_after(0x09, b"").await, Some(PROTOCOL));
}

#[actix_web::test]
async fn a_message_that_goes_on_without_a_beginning_is_against_the_protocol() {
    assert_eq!(closed_after(LAST, b"[]").await, Some(PROTOCOL));
}

#[actix_web::test]
async fn text_that_is_not_utf_8_is_invalid() {
    assert_eq!(closed_after(TEXT, &[b'[', 0xff, b']']).await, Some(INVALID));
}

#[actix_web::test]
async fn a_close_is_answered_with_a_close() {
    assert_eq!(closed_after(CLOSE, &NORMAL.to_be_bytes()).await, Some(NORMAL));
    assert_eq!(closed_after(CLOSE, b"").await, Some(NORMAL));
}

#[actix_web::test]
async fn a_frame_that_is_not_masked_is_against_the_protocol() {
    let app = TestApp::start().await;
    let station = app.station("Unmasked").await;
    let mut socket = socket(&station).await;
    socket.send(&[TEXT, 2, b'[', b']']).await;
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}

// ---- compression

#[actix_web::test]
async fn compression_is_agreed_on_without_memory_between_messages() {
    let app = TestApp::start().await;
    let station = app.station("Packing").await;
    let socket = packing(&station).await;
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(socket.header("sec-websocket-extensions").as_deref(), Some(agreed));
}

#[actix_web::test]
async fn compression_that_nobody_offered_is_not_agreed_on() {
    let app = TestApp::start().await;
    let station = app.station("Plain").await;
    assert_eq!(socket(&station).await.header("sec-websocket-extensions"), None);
}

#[actix_web::test]
async fn an_extension_that_is_unknown_is_declined() {
    let app = TestApp::start().await;
    let station = app.station("Other").await;
    let offer = ("Sec-WebSocket-Extensions", "permessage-bzip2, x-webkit-deflate-frame");
    let mut socket = RawSocket::open(&station.url, &[OCPP, offer]).await;
    assert_eq!(socket.header("sec-websocket-extensions"), None);
    socket.frame(TEXT, boot("b").as_bytes()).await;
    assert_eq!(answer(&mut socket, "b").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn compression_can_be_switched_off() {
    let app = TestApp::start_with(&[("EVENWATT_OCPP_COMPRESS", "false")]).await;
    let station = app.station("Off").await;
    let mut socket = packing(&station).await;
    assert_eq!(socket.header("sec-websocket-extensions"), None);
    socket.frame(PACKED_TEXT, &pack(&boot("b"))).await;
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}

#[actix_web::test]
async fn compressed_messages_are_heard_one_after_the_other() {
    let app = TestApp::start().await;
    let station = app.station("Packed").await;
    let mut socket = packing(&station).await;
    for id in ["one", "two", "three"] {
        socket.frame(PACKED_TEXT, &pack(&boot(id))).await;
        assert_eq!(answer(&mut socket, id).await[2]["status"], "Accepted");
    }
}

#[actix_web::test]
async fn a_station_that_agreed_to_compress_may_still_not() {
    let app = TestApp::start().await;
    let station = app.station("Both").await;
    let mut socket = packing(&station).await;
    socket.frame(TEXT, boot("plain").as_bytes()).await;
    answer(&mut socket, "plain").await;
    socket.frame(PACKED_TEXT, &pack(&boot("packed"))).await;
    answer(&mut socket, "packed").await;
}

#[actix_web::test]
async fn a_compressed_message_in_pieces_with_a_ping_between_is_heard() {
    let app = TestApp::start().await;
    let station = app.station("Packed pieces").await;
    let mut socket = packing(&station).await;
    let packed = pack(&boot("b"));
    let (left, right) = packed.split_at(packed.len() / 2);
    socket.frame(PACKED_GOES_ON, left).await;
    socket.frame(PING, b"p").await;
    assert_eq!(socket.next().await.map(|frame| frame.first), Some(PONG));
    socket.frame(LAST, right).await;
    assert_eq!(answer(&mut socket, "b").await[2]["status"], "Accepted");
}

#[actix_web::test]
async fn a_bomb_is_too_large() {
    let app = TestApp::start().await;
    let station = app.station("Bomb").await;
    let mut socket = packing(&station).await;
    let bomb = pack(&"0".repeat(30_000_000));
    assert!(bomb.len() < 64_000, "{}", bomb.len());
    socket.frame(PACKED_TEXT, &bomb).await;
    assert_eq!(socket.closed().await, Some(SIZE));
    assert!(flags(&app, &station).await.contains("sends messages of more than"));
}

#[actix_web::test]
async fn a_message_that_unpacks_to_the_largest_is_heard() {
    let app = TestApp::start().await;
    let station = app.station("Unpacked").await;
    let mut socket = packing(&station).await;
    socket.frame(PACKED_TEXT, &pack(&call_of(MOST))).await;
    answer(&mut socket, "1").await;
    socket.frame(PACKED_TEXT, &pack(&call_of(MOST + 1))).await;
    assert_eq!(socket.closed().await, Some(SIZE));
}

#[actix_web::test]
async fn what_is_no_compressed_data_is_against_the_protocol() {
    let app = TestApp::start().await;
    let station = app.station("Broken").await;
    let mut socket = packing(&station).await;
    socket.frame(PACKED_TEXT, b"\xff\xff\xff\xff\xff").await;
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}

#[actix_web::test]
async fn compressed_text_that_is_not_utf_8_is_invalid() {
    let app = TestApp::start().await;
    let station = app.station("Packed bytes").await;
    let mut socket = packing(&station).await;
    // A stored block of one byte, 0xff.
    socket.frame(PACKED_TEXT, &[0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x00]).await;
    assert_eq!(socket.closed().await, Some(INVALID));
}

#[actix_web::test]
async fn only_the_first_frame_of_a_message_says_that_it_is_compressed() {
    let app = TestApp::start().await;
    let station = app.station("Twice").await;
    let mut socket = packing(&station).await;
    let packed = pack(&boot("b"));
    socket.frame(PACKED_GOES_ON, &packed[..5]).await;
    socket.frame(0xc0, &packed[5..]).await;
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}

#[actix_web::test]
async fn calls_of_the_server_come_compressed_and_can_be_read() {
    let app = TestApp::start().await;
    let station = app.station("Asked").await;
    let mut socket = packing(&station).await;
    socket.frame(TEXT, boot("b").as_bytes()).await;
    answer(&mut socket, "b").await;
    let keys = json!({"variables": (0..40).map(|_| "MeterValueSampleInterval").collect::<Vec<_>>()});
    let client = app.client.clone();
    let path = format!("{}/ocpp", station.path);
    let body = json!({"action": "GetConfiguration", "payload": {"key": keys["variables"]}});
    actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = loop {
        let frame = socket.next().await.expect("a call");
        if frame.first == PACKED_TEXT {
            break unpack(&frame.content);
        }
    };
    assert!(call.contains("\"GetConfiguration\""), "{call}");
    assert_eq!(call.matches("MeterValueSampleInterval").count(), 40);
}

#[actix_web::test]
async fn a_station_that_unpacks_with_a_small_window_gets_long_messages_as_they_are() {
    let app = TestApp::start().await;
    let station = app.station("Small window").await;
    let offer = ("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=8");
    let mut socket = RawSocket::open(&station.url, &[OCPP, offer]).await;
    let agreed = socket.header("sec-websocket-extensions").expect("agreed");
    assert!(agreed.ends_with("; server_max_window_bits=8"), "{agreed}");
    socket.frame(TEXT, boot("b").as_bytes()).await;
    answer(&mut socket, "b").await;
    let client = app.client.clone();
    let path = format!("{}/ocpp", station.path);
    let keys: Vec<_> = (0..40).map(|_| "MeterValueSampleInterval").collect();
    let body = json!({"action": "GetConfiguration", "payload": {"key": keys}});
    actix_web::rt::spawn(async move { client.post(&path, body).await });
    let frame = socket.next().await.expect("a call");
    assert_eq!(frame.first, TEXT, "what is longer than the window is not packed");
}

// ---- sub-protocols

#[actix_web::test]
async fn a_sub_protocol_is_echoed_as_it_was_offered() {
    let app = TestApp::start().await;
    let station = app.station("Echo").await;
    for (offer, echoed) in [
        ("ocpp1.6", "ocpp1.6"),
        ("OCPP1.6", "OCPP1.6"),
        ("Ocpp2.0.1, ocpp1.6", "Ocpp2.0.1"),
        ("ocpp1.6,OCPP2.1", "OCPP2.1"),
        (" ocpp1.6 ,unknown", "ocpp1.6"),
    ] {
        let charger = FakeStation::try_connect(&station.url, &[("sec-websocket-protocol", offer)]).await;
        match charger {
            Ok(charger) => assert_eq!(charger.agreed.as_deref(), Some(echoed), "{offer}"),
            Err(error) => panic!("{offer}: {error}"),
        }
    }
}

#[actix_web::test]
async fn sub_protocols_may_be_offered_in_several_headers() {
    let app = TestApp::start().await;
    let station = app.station("Headers").await;
    let second = ("Sec-WebSocket-Protocol", "OCPP2.0.1");
    let socket = RawSocket::open(&station.url, &[OCPP, second]).await;
    assert_eq!(socket.header("sec-websocket-protocol").as_deref(), Some("OCPP2.0.1"));
}

#[actix_web::test]
async fn a_sub_protocol_that_nobody_speaks_is_closed_after_the_handshake() {
    let app = TestApp::start().await;
    let station = app.station("Soap").await;
    let offer = ("Sec-WebSocket-Protocol", "ocpp1.5");
    let mut socket = RawSocket::open(&station.url, &[offer]).await;
    assert_eq!(socket.header("sec-websocket-protocol"), None);
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}

/// A station that names no sub-protocol, at a server with this option for it.
async fn silent(option: &str) -> (TestApp, TestStation) {
    let options = [("EVENWATT_OCPP_VERSION_WITHOUT_HEADER", option)];
    let app = TestApp::start_with(&options).await;
    let station = app.station("Silent").await;
    (app, station)
}

#[actix_web::test]
async fn a_station_that_names_no_sub_protocol_is_spoken_to_as_configured() {
    let (_app, station) = silent("ocpp1.6").await;
    let mut charger = FakeStation::try_connect(&station.url, &[]).await.expect("a socket");
    assert_eq!(charger.agreed, None);
    assert_eq!(charger.boot().await["status"], "Accepted");

    let (_app, station) = silent("2.0.1").await;
    let mut charger = FakeStation::try_connect(&station.url, &[]).await.expect("a socket");
    assert_eq!(charger.boot_2().await["status"], "Accepted");
}

#[actix_web::test]
async fn a_station_that_names_no_sub_protocol_is_closed_where_none_is_configured() {
    let (_app, station) = silent("").await;
    let mut socket = RawSocket::open(&station.url, &[]).await;
    assert_eq!(socket.header("sec-websocket-protocol"), None);
    assert_eq!(socket.closed().await, Some(PROTOCOL));
}
