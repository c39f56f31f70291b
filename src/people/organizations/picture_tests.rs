//! Tests of which bytes are a logo: small pictures of each kind, and what is made of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// Pictures of one pixel that browsers show.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const JPEG: &str = "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQ\
    CgwSExIQEw8QEBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q==";
const LOSSY: &str = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA";
const LOSSLESS: &str = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==";
const ALPHA: &str =
    "UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==";

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("Base64")
}

fn all() -> Vec<Vec<u8>> {
    [PNG, JPEG, LOSSY, LOSSLESS, ALPHA].into_iter().map(bytes).collect()
}

/// A PNG of this size, whose data nobody looks at.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    for (name, data) in [(b"IHDR", header), (b"IDAT", vec![0]), (b"IEND", vec![])] {
        let checked = [&name[..], &data].concat();
        picture.extend(u32::try_from(data.len()).expect("small").to_be_bytes());
        picture.extend(&checked);
        picture.extend(crc32fast::hash(&checked).to_be_bytes());
    }
    picture
}

#[test]
fn each_kind_is_found_by_its_bytes() {
    use PictureType::{Jpeg, Png, Webp};
    let found: Vec<_> = all().iter().map(|picture| judge(picture)).collect();
    assert_eq!(found, [Ok(Png), Ok(Jpeg), Ok(Webp), Ok(Webp), Ok(Webp)]);
    assert_eq!((Png.extension(), Jpeg.extension(), Webp.extension()), ("png", "jpg", "webp"));
}

#[test]
fn pages_and_other_formats_are_no_pictures() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    for other in
        [&svg[..], b"<!doctype html><script>1</script>", b"GIF89a\x01\x00\x01\x00", b"BM", b"", b"RIFF\0\0\0\0WAVE"]
    {
        assert_eq!(judge(other), Err(PictureFault::Unknown));
    }
}

#[test]
fn nothing_travels_behind_a_picture() {
    for picture in all() {
        for more in [&b"\0"[..], b"<script>alert(1)</script>", &picture] {
            assert_eq!(judge(&[&picture[..], more].concat()), Err(PictureFault::Broken));
        }
    }
}

#[test]
fn a_picture_has_a_size_that_browsers_bear() {
    assert_eq!(judge(&png_of(2_048, 2_048)), Ok(PictureType::Png));
    assert_eq!(judge(&png_of(2_049, 1)), Err(PictureFault::Large(2_049, 1)));
    assert_eq!(judge(&png_of(1, u32::MAX)), Err(PictureFault::Large(1, u32::MAX)));
    assert_eq!(judge(&png_of(0, 1)), Err(PictureFault::Broken));
    let mut wide = bytes(JPEG);
    let frame = wide.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    wide[frame + 7..frame + 9].copy_from_slice(&2_049_u16.to_be_bytes());
    assert_eq!(judge(&wide), Err(PictureFault::Large(2_049, 1)));
    let mut canvas = bytes(ALPHA);
    canvas[24..27].copy_from_slice(&[0xff, 0xff, 0xff]);
    assert_eq!(judge(&canvas), Err(PictureFault::Large(1 << 24, 1)));
    let mut lossless = bytes(LOSSLESS);
    lossless[21..25].copy_from_slice(&(2_048_u32 | (99 << 14)).to_le_bytes());
    assert_eq!(judge(&lossless), Err(PictureFault::Large(2_049, 100)));
}

proptest! {
    #[test]
    fn a_part_of_a_picture_is_none(which in 0_usize..5, kept in 0.0..1.0) {
        let picture = &all()[which];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a small length")]
        let kept = (picture.len() as f64 * kept) as usize;
        prop_assert!(judge(&picture[..kept]).is_err());
    }

    #[test]
    fn whatever_follows_the_first_bytes_nothing_panics(which in 0_usize..5, kept in 0_usize..60, more in prop::collection::vec(any::<u8>(), 0..300)) {
        let picture = &all()[which];
        let start = &picture[..kept.min(picture.len())];
        let _ = judge(&[start, &more].concat());
    }
}
