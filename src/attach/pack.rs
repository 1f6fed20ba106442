//! What an engine says over a slow line, packed: one deflate stream (RFC 1951) for the life of the connection, flushed after
//! each message, so that a name which was said before costs a few bits. What is unpacked is bounded as any message is.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Room is made in such steps.
const STEP: usize = 16 * 1024;

#[derive(Debug)]
pub struct Packer(Compress);

impl Packer {
    pub fn new() -> Self {
        Self(Compress::new(Compression::default(), false))
    }

    /// Appends the message as the other side's [`Unpacker`] takes it.
    pub fn pack(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let begun = self.0.total_in();
        loop {
            out.reserve(STEP);
            let taken = (self.0.total_in() - begun) as usize;
            // It fails for a stream that was finished, and none is.
            let _ = self.0.compress_vec(&message[taken..], out, FlushCompress::Sync);
            let all = self.0.total_in() - begun == message.len() as u64;
            // Room that is left over says that the flush is through.
            if all && out.len() < out.capacity() {
                return;
            }
        }
    }
}

#[derive(Debug)]
pub struct Unpacker(Decompress);

impl Unpacker {
    pub fn new() -> Self {
        Self(Decompress::new(false))
    }

    /// Appends what was packed, at most so many bytes.
    ///
    /// # Errors
    /// It is no such stream, or more than that.
    pub fn unpack(&mut self, packed: &[u8], limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let garbled = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let begun = self.0.total_in();
        loop {
            out.reserve(STEP.min(limit));
            let taken = (self.0.total_in() - begun) as usize;
            let status = self.0.decompress_vec(&packed[taken..], out, FlushDecompress::Sync);
            match status {
                Err(_) | Ok(Status::StreamEnd) => return Err(garbled("what was packed cannot be unpacked")),
                Ok(Status::Ok | Status::BufError) => {}
            }
            if out.len() > limit {
                return Err(garbled("a message is longer than is allowed once it is unpacked"));
            }
            let all = self.0.total_in() - begun == packed.len() as u64;
            if all && out.len() < out.capacity() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_message_by_message(
            messages in prop::collection::vec(prop::collection::vec(0u8..8, 0..3_000), 1..5),
        ) {
            let (mut packer, mut unpacker) = (Packer::new(), Unpacker::new());
            for message in &messages {
                let (mut packed, mut got) = (Vec::new(), Vec::new());
                packer.pack(message, &mut packed);
                unpacker.unpack(&packed, 3_000, &mut got).expect("it can be unpacked");
                prop_assert_eq!(&got, message);
            }
        }

        #[test]
        fn any_bytes_are_unpacked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut out = Vec::new();
            let _ = Unpacker::new().unpack(&bytes, 1_000, &mut out);
            prop_assert!(out.len() <= 1_000 + 2 * STEP);
        }
    }

    #[test]
    fn what_was_said_before_costs_little_and_what_swells_without_end_is_refused() {
        let (mut packer, mut unpacker) = (Packer::new(), Unpacker::new());
        let message: Vec<u8> = (0..2_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let (mut first, mut again) = (Vec::new(), Vec::new());
        packer.pack(&message, &mut first);
        packer.pack(&message, &mut again);
        assert!(again.len() * 20 < first.len(), "{} and then {}", first.len(), again.len());
        let mut bomb = Vec::new();
        Packer::new().pack(&vec![0; 1_000_000], &mut bomb);
        let mut out = Vec::new();
        let error = unpacker.unpack(&bomb, 100_000, &mut out).expect_err("too much");
        assert!(error.to_string().contains("longer than is allowed"), "{error}");
        assert!(out.len() < 200_000);
    }
}
