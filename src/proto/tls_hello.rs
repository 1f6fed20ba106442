//! A first message of TLS (RFC 4346 §7.4.1) that offers an old version and nothing newer, and what a server says to it. No
//! handshake is ever finished with it: it only finds out whether a server would.
//!
//! ```text
//!  record     0x16  03 01  length:2 ─┐
//!  handshake  0x01  length:3         │ client_version  random:32  session 00
//!             suites: length:2 …  compression 01 00  extensions: length:2 …
//! ```

/// TLS 1.0 and 1.1, by their numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Old {
    Tls10,
    Tls11,
}

impl Old {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
        }
    }

    fn minor(self) -> u8 {
        match self {
            Self::Tls10 => 1,
            Self::Tls11 => 2,
        }
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The server goes on with this version.
    Accepts(Old),
    /// An alert, another version, or nothing of TLS.
    Refuses,
}

/// Bytes that are enough to know the reply: a record's header, a handshake's, and the version.
const ENOUGH: usize = 5 + 4 + 2;

/// Suites that these versions have: ECDHE, DHE and RSA with AES, 3DES and RC4; and the one that says that
/// renegotiation is secure (RFC 5746).
const SUITES: [u16; 12] =
    [0xc009, 0xc00a, 0xc013, 0xc014, 0x0033, 0x0039, 0x002f, 0x0035, 0xc012, 0x000a, 0x0005, 0x00ff];

/// The message. `name` is the server's (SNI); an address is left out (RFC 6066 §3).
pub fn client_hello(version: Old, name: Option<&str>, random: &[u8; 32]) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = name.filter(|name| !name.is_empty() && name.len() <= 255) {
        let entry = [&[0][..], &length16(name.len()), name.as_bytes()].concat();
        let list = [&length16(entry.len())[..], &entry].concat();
        extension(&mut extensions, 0, &list);
    }
    // Groups secp256r1, secp384r1, secp521r1; points uncompressed.
    extension(&mut extensions, 10, &[0, 6, 0, 23, 0, 24, 0, 25]);
    extension(&mut extensions, 11, &[1, 0]);
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [
        &[3, version.minor()][..],
        random,
        &[0],
        &length16(suites.len()),
        &suites,
        &[1, 0],
        &length16(extensions.len()),
        &extensions,
    ]
    .concat();
    let handshake = [&[1, 0][..], &length16(body.len()), &body].concat();
    [&[0x16, 3, 1][..], &length16(handshake.len()), &handshake].concat()
}

fn extension(out: &mut Vec<u8>, kind: u16, content: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&length16(content.len()));
    out.extend_from_slice(content);
}

/// All lengths here are far below 64 KiB: the name has at most 255 bytes.
fn length16(length: usize) -> [u8; 2] {
    (length as u16).to_be_bytes()
}

/// What the server's first bytes say; `None` while they are too few.
pub fn reply(bytes: &[u8]) -> Option<Reply> {
    match bytes.first() {
        None => return None,
        Some(0x16) => {}
        Some(_) => return Some(Reply::Refuses),
    }
    let head = bytes.get(..ENOUGH)?;
    Some(match (head[5], head[9], head[10]) {
        (2, 3, 1) => Reply::Accepts(Old::Tls10),
        (2, 3, 2) => Reply::Accepts(Old::Tls11),
        _ => Reply::Refuses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_in_the_message_is_right() {
        for name in [None, Some("www.example.net")] {
            let hello = client_hello(Old::Tls11, name, &[7; 32]);
            let number =
                |at: usize, bytes: usize| hello[at..at + bytes].iter().fold(0, |n, b| n << 8 | usize::from(*b));
            assert_eq!((hello[0], number(3, 2)), (0x16, hello.len() - 5));
            assert_eq!((hello[5], number(6, 3), &hello[9..11]), (1, hello.len() - 9, &[3, 2][..]));
            let suites = 11 + 32 + 1;
            assert_eq!(number(suites, 2), 2 * SUITES.len());
            let extensions = suites + 2 + 2 * SUITES.len() + 2;
            assert_eq!(number(extensions, 2), hello.len() - extensions - 2);
        }
    }

    #[test]
    fn a_reply_is_known_by_its_first_bytes() {
        let hello = [0x16, 3, 2, 0, 80, 2, 0, 0, 76, 3, 2, 9, 9];
        assert_eq!(reply(&hello), Some(Reply::Accepts(Old::Tls11)));
        assert_eq!((reply(&hello[..10]), reply(&[])), (None, None));
        // An alert, a newer version, another protocol.
        assert_eq!(reply(&[0x15, 3, 1, 0, 2, 2, 70]), Some(Reply::Refuses));
        assert_eq!(reply(&[0x16, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3, 9]), Some(Reply::Refuses));
        assert_eq!(reply(b"HTTP/1.1 400 Bad Request"), Some(Reply::Refuses));
    }
}
