//! Bodies that a server packed although it was not asked to (RFC 9110 §8.4): unpacked up to a bound, whatever they claim to hold.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// The body as it is meant, at most `limit` bytes of it, and whether there is more; `cut` where the packed one already was.
///
/// # Errors
/// In words: what it was packed with is not known here, or it is damaged.
pub fn unpacked<'a>(body: &'a [u8], cut: bool, encoding: &[u8], limit: usize) -> Result<(Cow<'a, [u8]>, bool), String> {
    let name = String::from_utf8_lossy(encoding.trim_ascii()).to_ascii_lowercase();
    let mut reader: Box<dyn Read + 'a> = match name.as_str() {
        "" | "identity" => return Ok((Cow::Borrowed(body), cut)),
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(body)),
        "deflate" => Box::new(ZlibDecoder::new(body)),
        _ => return Err(format!("the body is compressed ({name:?}), which was not asked for")),
    };
    let mut out = Vec::new();
    let read = reader.by_ref().take(limit as u64).read_to_end(&mut out);
    match read {
        Ok(_) => {
            let is_more = cut || reader.read(&mut [0u8; 1]).is_ok_and(|more| more > 0);
            Ok((Cow::Owned(out), is_more))
        }
        // What was cut off ends in the middle.
        Err(_) if cut => Ok((Cow::Owned(out), true)),
        Err(_) => Err(format!("the body cannot be decompressed ({name})")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_up_to_a_bound() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![b'x'; 1 << 20]).expect("packed");
        let packed = packer.finish().expect("packed");
        assert!(packed.len() < 2_000, "a small body that claims to be a large one");
        let (body, cut) = unpacked(&packed, false, b" GZip", 100).expect("unpacked");
        assert_eq!((body.len(), cut), (100, true));
        let (body, cut) = unpacked(&packed, false, b"gzip", 1 << 20).expect("unpacked");
        assert_eq!((body.len(), cut), (1 << 20, false));
        let (body, cut) = unpacked(&packed[..500], true, b"gzip", 1 << 20).expect("unpacked as far as it goes");
        assert!(cut && !body.is_empty());
    }

    #[test]
    fn what_cannot_be_unpacked_is_said() {
        assert_eq!(unpacked(b"plain", false, b"", 9), Ok((Cow::Borrowed(&b"plain"[..]), false)));
        let damaged = unpacked(b"no gzip", false, b"gzip", 9);
        assert_eq!(damaged, Err("the body cannot be decompressed (gzip)".to_owned()));
        let unknown = unpacked(b"\x1b[31m", false, b"br\x1b", 9).expect_err("unknown");
        assert!(unknown.starts_with("the body is compressed (\"br\\u{1b}\")"), "{unknown}");
    }
}
