//! What clients send, right and wrong, however it is cut.

use proptest::prelude::*;

use super::super::deflate::{agree, deflate};
use super::*;

const LARGEST: usize = 1_000;

/// A frame as a client makes it.
fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mask = [0x21, 0x43, 0x65, 0x87];
    let mut bytes = announced(first, content.len() as u64);
    let masked = content.iter().zip(mask.iter().cycle());
    bytes.extend(masked.map(|(byte, key)| byte ^ key));
    bytes
}

/// A frame's header alone.
fn announced(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([0x21, 0x43, 0x65, 0x87]);
    bytes
}

const TEXT: u8 = 0x81;
const TEXT_GOES_ON: u8 = 0x01;
const PACKED_TEXT: u8 = 0xc1;
const GOES_ON: u8 = 0x00;
const LAST: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

/// Everything that comes of these bytes, up to the first fault.
fn heard(decoder: &mut Decoder, bytes: &[u8]) -> (Vec<Message>, Option<Fault>) {
    decoder.take_in(bytes);
    let mut messages = Vec::new();
    loop {
        match decoder.next_message() {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(fault) => return (messages, Some(fault)),
        }
    }
}

fn plain() -> Decoder {
    Decoder::new(LARGEST, false)
}

fn fault_of(bytes: &[u8]) -> Option<Fault> {
    heard(&mut plain(), bytes).1
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

#[test]
fn a_frame_is_refused_when_it_is_announced() {
    for length in [LARGEST as u64 + 1, 1 << 20, 1 << 40, u64::MAX >> 1, u64::MAX] {
        let mut decoder = plain();
        let (messages, fault) = heard(&mut decoder, &announced(TEXT, length));
        assert_eq!((messages.len(), fault), (0, Some(Fault::TooLarge)), "{length}");
        decoder.take_in(&[0; 5_000]);
        assert_eq!(decoder.kept(), 0, "what follows is not kept");
    }
}

#[test]
fn a_frame_may_be_as_large_as_a_message() {
    let content = "x".repeat(LARGEST);
    let whole = frame(TEXT, content.as_bytes());
    assert_eq!(heard(&mut plain(), &whole), (vec![text(&content)], None));
}

#[test]
fn the_frames_of_a_message_are_added_up() {
    let mut bytes = frame(TEXT_GOES_ON, &[b'a'; 600]);
    bytes.extend(announced(LAST, 401));
    assert_eq!(fault_of(&bytes), Some(Fault::TooLarge));
    let mut bytes = frame(TEXT_GOES_ON, &[b'a'; 600]);
    bytes.extend(frame(LAST, &[b'a'; 400]));
    assert_eq!(heard(&mut plain(), &bytes).0, [text(&"a".repeat(1_000))]);
}

#[test]
fn a_message_of_frames_without_content_does_not_go_on_for_ever() {
    let mut bytes = frame(TEXT_GOES_ON, b"");
    for _ in 0..MOST_EMPTY {
        bytes.extend(frame(GOES_ON, b""));
    }
    assert!(matches!(fault_of(&bytes), Some(Fault::Protocol(_))));
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let mut decoder = Decoder::new(10_000, false);
    let mut bytes = frame(TEXT_GOES_ON, b"a");
    for _ in 0..8_000 {
        bytes.extend(frame(GOES_ON, b"a"));
    }
    bytes.extend(frame(LAST, b""));
    assert_eq!(heard(&mut decoder, &bytes).0, [text(&"a".repeat(8_001))]);
}

#[test]
fn control_frames_come_between_the_frames_of_a_message() {
    let mut bytes = frame(TEXT_GOES_ON, b"[2,");
    bytes.extend(frame(PING, b"p"));
    bytes.extend(frame(GOES_ON, b"\"1\""));
    bytes.extend(frame(LAST, b"]"));
    let (messages, fault) = heard(&mut plain(), &bytes);
    assert_eq!(messages, [Message::Ping(b"p".to_vec()), text("[2,\"1\"]")]);
    assert_eq!(fault, None);
}

#[test]
fn what_breaks_the_rules_is_a_fault() {
    let protocol = |bytes: Vec<u8>| {
        let fault = fault_of(&bytes);
        assert!(matches!(fault, Some(Fault::Protocol(_))), "{fault:?}: {bytes:?}");
    };
    protocol(frame(0xc1, b"compressed, though nobody agreed"));
    protocol(frame(0xa1, b"the second reserved bit"));
    protocol(frame(0x91, b"the third reserved bit"));
    protocol(frame(0x83, b"an opcode that is not used"));
    protocol(frame(0x8b, b"a control opcode that is not used"));
    protocol(frame(LAST, b"goes on without a beginning"));
    protocol([frame(TEXT_GOES_ON, b"one"), frame(TEXT, b"two")].concat());
    protocol(frame(0x09, b"a ping in two frames"));
    protocol(frame(PING, &[0; 126]));
    protocol(frame(CLOSE, &[3]));
    protocol(frame(CLOSE, &1005_u16.to_be_bytes()));
    protocol(vec![TEXT, 0x01, b'x']); // not masked
    assert_eq!(fault_of(&frame(TEXT, &[0xff, 0xfe])), Some(Fault::NotUtf8));
}

#[test]
fn a_close_frame_may_have_a_code_and_a_reason() {
    let closed = |content: &[u8]| heard(&mut plain(), &frame(CLOSE, content)).0;
    assert_eq!(closed(b""), [Message::Close(None)]);
    assert_eq!(closed(&[3, 232]), [Message::Close(Some(1000))]);
    assert_eq!(closed(b"\x0f\xa0bye"), [Message::Close(Some(4000))]);
}

#[test]
fn a_compressed_message_is_unpacked_also_in_pieces() {
    let content = "[2,\"1\",\"Heartbeat\",{}]".repeat(30);
    let packed = deflate(content.as_bytes()).expect("shorter");
    let (left, right) = packed.split_at(packed.len() / 2);
    let mut bytes = frame(0x41, left);
    bytes.extend(frame(PING, b""));
    bytes.extend(frame(LAST, right));
    let mut decoder = Decoder::new(LARGEST, true);
    let (messages, fault) = heard(&mut decoder, &bytes);
    assert_eq!(messages, [Message::Ping(Vec::new()), text(&content)]);
    assert_eq!(fault, None);
}

#[test]
fn only_the_first_frame_says_that_a_message_is_compressed() {
    let bytes = [frame(0x41, b"ab"), frame(0xc0, b"cd")].concat();
    let fault = heard(&mut Decoder::new(LARGEST, true), &bytes).1;
    assert!(matches!(fault, Some(Fault::Protocol(_))), "{fault:?}");
}

#[test]
fn a_control_frame_is_never_compressed() {
    let fault = heard(&mut Decoder::new(LARGEST, true), &frame(0xc9, b"p")).1;
    assert!(matches!(fault, Some(Fault::Protocol(_))), "{fault:?}");
}

#[test]
fn a_bomb_is_too_large_whatever_it_weighs() {
    let bomb = deflate(&vec![b'0'; 60_000_000]).expect("shorter");
    assert!(bomb.len() > LARGEST, "refused before it is unpacked");
    let small = deflate(&vec![b'0'; 60_000]).expect("shorter");
    assert!(small.len() < LARGEST, "{}", small.len());
    for packed in [bomb, small] {
        let bytes = frame(PACKED_TEXT, &packed);
        let (messages, fault) = heard(&mut Decoder::new(LARGEST, true), &bytes);
        assert_eq!((messages.len(), fault), (0, Some(Fault::TooLarge)));
    }
}

#[test]
fn what_is_no_compressed_data_is_a_fault() {
    for content in [&b"\xff\xff\xff\xff"[..], b"no deflate at all", b"\x06"] {
        let bytes = frame(PACKED_TEXT, content);
        let (messages, fault) = heard(&mut Decoder::new(LARGEST, true), &bytes);
        assert_eq!(messages.len(), 0, "{content:?}");
        assert!(matches!(fault, Some(Fault::Protocol(_))), "{fault:?}");
    }
}

#[test]
fn the_examples_of_rfc_7692_are_read() {
    // §7.2.3: Hello, in one block; in two; without compression; with a last block; and nothing at all.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let in_two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let examples: [(&[u8], &str); 5] =
        [(&hello, "Hello"), (&in_two, "Hello"), (&stored, "Hello"), (&last, "Hello"), (&[0x00], "")];
    for (packed, content) in examples {
        let (messages, fault) = heard(&mut Decoder::new(LARGEST, true), &frame(PACKED_TEXT, packed));
        assert_eq!((messages, fault), (vec![text(content)], None), "{packed:02x?}");
    }
}

#[test]
fn the_first_offer_that_can_be_kept_is_taken() {
    let agreed = |offer: &str| agree([offer].into_iter()).map(|one| one.to_string());
    let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(agreed("permessage-deflate").as_deref(), Some(both));
    assert_eq!(agreed("x-webkit-deflate-frame, permessage-deflate; client_max_window_bits").as_deref(), Some(both));
    let small = format!("{both}; server_max_window_bits=9");
    assert_eq!(agreed("permessage-deflate; server_max_window_bits=9").as_deref(), Some(small.as_str()));
    for declined in [
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; anything_else",
        "permessage-bzip2",
        "",
    ] {
        assert_eq!(agreed(declined), None, "{declined}");
    }
    let second = "permessage-deflate; anything_else, permessage-deflate";
    assert_eq!(agreed(second).as_deref(), Some(both));
}

/// What a client may say, and what is heard of it.
fn saying() -> impl Strategy<Value = (Vec<u8>, Message)> {
    let content = "[ -~äß]{0,200}";
    prop_oneof![
        content.prop_map(|said| (frame(TEXT, said.as_bytes()), text(&said))),
        (content, 0_usize..200).prop_map(|(said, cut)| {
            let (left, right) = said.as_bytes().split_at(cut.min(said.len()));
            let bytes = [frame(TEXT_GOES_ON, left), frame(LAST, right)].concat();
            (bytes, text(&said))
        }),
        content.prop_map(|said| match deflate(said.as_bytes()) {
            Some(packed) => (frame(PACKED_TEXT, &packed), text(&said)),
            None => (frame(TEXT, said.as_bytes()), text(&said)),
        }),
        prop::collection::vec(any::<u8>(), 0..125).prop_map(|said| (frame(PING, &said), Message::Ping(said))),
    ]
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_messages_are_the_same(
        said in prop::collection::vec(saying(), 0..8),
        cuts in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let bytes: Vec<u8> = said.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let wanted: Vec<Message> = said.into_iter().map(|(_, message)| message).collect();
        let (mut decoder, mut messages, mut rest) = (Decoder::new(LARGEST, true), Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            let (more, fault) = heard(&mut decoder, piece);
            prop_assert_eq!(fault, None);
            messages.extend(more);
            rest = after;
            if rest.is_empty() { break; }
        }
        prop_assert_eq!(messages, wanted);
        prop_assert_eq!(decoder.kept(), 0);
    }

    #[test]
    fn no_bytes_make_it_panic_or_keep_more_than_two_messages(
        bytes in prop::collection::vec(any::<u8>(), 0..4_000),
        may_compress in any::<bool>(),
    ) {
        let mut decoder = Decoder::new(LARGEST, may_compress);
        for piece in bytes.chunks(500) {
            let _ = heard(&mut decoder, piece);
            prop_assert!(decoder.kept() <= 2 * LARGEST + LONGEST_HEADER);
        }
    }
}
