//! A client's question to an NTP server and the answer (RFC 5905 §7.3), once, as SNTP does it (§14).
//!
//! ```text
//!  0: leap:2 version:3 mode:3   1: stratum   2: poll   3: precision
//!  4: root delay   8: root dispersion (16.16 seconds)   12: reference id
//!  16: reference   24: originate   32: receive   40: transmit (32.32 seconds since 1900)
//! ```
//! The transmit time of a question is a random number: the answer repeats it, so that nobody who does not see the
//! question can answer it, and our clock is told to nobody.

/// Bytes of a question, and the least of an answer.
pub const LENGTH: usize = 48;

/// Beyond this distance from its source a server is not to be used (RFC 5905, MAXDIST), seconds.
pub const FARTHEST: f64 = 1.5;

/// A moment as NTP writes it: 32 bits of seconds, 32 of their fractions. It wraps around in 2036; differences do not mind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970.
    pub fn from_unix(since: std::time::Duration) -> Self {
        let seconds = since.as_secs().wrapping_add(2_208_988_800) as u32;
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self(u64::from(seconds) << 32 | fraction)
    }

    /// Seconds from `earlier` to this; right within 68 years.
    fn since(self, earlier: Self) -> f64 {
        let difference = self.0.wrapping_sub(earlier.0).cast_signed();
        difference as f64 / 4_294_967_296.0
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// 0 none, 1 a second is added, 2 one is left out, 3 not synchronised.
    pub leap: u8,
    pub version: u8,
    /// 1 to 15; 0 is a kiss of death, 16 and more not synchronised.
    pub stratum: u8,
    /// Seconds.
    pub root_delay: f64,
    pub root_dispersion: f64,
    pub reference: [u8; 4],
    receive: NtpTime,
    transmit: NtpTime,
}

/// What an exchange says about the two clocks, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The server's clock is ahead of ours.
    pub offset: f64,
    /// The round trip without the server's part.
    pub delay: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NtpError {
    #[error("the answer has {0} bytes")]
    Short(usize),
    #[error("the answer is no server's (mode {0})")]
    Mode(u8),
    #[error("the answer is to another question")]
    Stranger,
    #[error("the server does not say what time it is")]
    NoTime,
}

/// A question in version 4. `cookie` is what its answer must repeat.
pub fn question(cookie: u64) -> [u8; LENGTH] {
    let mut packet = [0u8; LENGTH];
    packet[0] = 4 << 3 | 3;
    packet[40..].copy_from_slice(&cookie.to_be_bytes());
    packet
}

/// Reads the answer to the question with this cookie.
///
/// # Errors
/// It is none.
pub fn answer(packet: &[u8], cookie: u64) -> Result<Answer, NtpError> {
    let head: &[u8; LENGTH] =
        packet.get(..LENGTH).and_then(|head| head.try_into().ok()).ok_or(NtpError::Short(packet.len()))?;
    let number = |at: usize| head[at..at + 4].iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
    let time = |at: usize| NtpTime(u64::from(number(at)) << 32 | u64::from(number(at + 4)));
    if head[0] & 7 != 4 {
        return Err(NtpError::Mode(head[0] & 7));
    }
    if time(24).0 != cookie {
        return Err(NtpError::Stranger);
    }
    let stratum = head[1];
    // A kiss of death has no times and needs none.
    if stratum != 0 && (time(40).0 == 0 || time(32).0 == 0) {
        return Err(NtpError::NoTime);
    }
    Ok(Answer {
        leap: head[0] >> 6,
        version: head[0] >> 3 & 7,
        stratum,
        root_delay: f64::from(number(4).cast_signed()) / 65_536.0,
        root_dispersion: f64::from(number(8)) / 65_536.0,
        reference: [head[12], head[13], head[14], head[15]],
        receive: time(32),
        transmit: time(40),
    })
}

impl Answer {
    /// RFC 5905 §8, with our clock when the question went and when the answer came.
    pub fn compare(&self, sent: NtpTime, received: NtpTime) -> Comparison {
        let offset = f64::midpoint(self.receive.since(sent), self.transmit.since(received));
        let delay = received.since(sent) - self.transmit.since(self.receive);
        Comparison { offset, delay: delay.max(0.0) }
    }

    /// Why a server refuses to serve (RFC 5905 §7.4): `RATE`, `DENY`. Without a code it is only not synchronised.
    pub fn kiss(&self) -> Option<&[u8; 4]> {
        (self.stratum == 0 && self.reference.iter().all(u8::is_ascii_graphic)).then_some(&self.reference)
    }

    pub fn is_synchronised(&self) -> bool {
        self.leap != 3 && (1..16).contains(&self.stratum)
    }

    /// The most by which its time may be wrong, seconds.
    pub fn root_distance(&self) -> f64 {
        self.root_delay / 2.0 + self.root_dispersion
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(first: u8, stratum: u8, cookie: u64, receive: NtpTime, transmit: NtpTime) -> Vec<u8> {
        let mut packet = vec![0u8; LENGTH];
        packet[..4].copy_from_slice(&[first, stratum, 6, 0xe9]);
        packet[4..8].copy_from_slice(&0x0000_8000u32.to_be_bytes());
        packet[8..12].copy_from_slice(&0x0001_4000u32.to_be_bytes());
        packet[12..16].copy_from_slice(b"RATE");
        packet[24..32].copy_from_slice(&cookie.to_be_bytes());
        packet[32..40].copy_from_slice(&receive.0.to_be_bytes());
        packet[40..48].copy_from_slice(&transmit.0.to_be_bytes());
        packet
    }

    fn at(millis: u64) -> NtpTime {
        NtpTime::from_unix(Duration::from_millis(millis))
    }

    #[test]
    fn offset_and_delay_are_those_of_the_four_times() {
        // Ours 1000 and 1040; theirs 250 ahead, with 10 of their own in between.
        for epoch in [0, 1_795_000_000_000, 2_085_978_495_990] {
            let answer = answer(&packet(0x24, 2, 7, at(epoch + 1_265), at(epoch + 1_275)), 7).expect("an answer");
            let found = answer.compare(at(epoch + 1_000), at(epoch + 1_040));
            assert!((found.offset - 0.25).abs() < 1e-6, "{found:?} at {epoch}");
            assert!((found.delay - 0.03).abs() < 1e-6, "{found:?} at {epoch}");
            assert!((answer.root_distance() - 1.5).abs() < 1e-9 && answer.is_synchronised());
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let good = packet(0x24, 2, 7, at(1), at(2));
        assert_eq!(answer(&good[..47], 7), Err(NtpError::Short(47)));
        assert_eq!(answer(&good, 8), Err(NtpError::Stranger));
        assert_eq!(answer(&packet(0x23, 2, 7, at(1), at(2)), 7), Err(NtpError::Mode(3)));
        assert_eq!(answer(&packet(0x24, 2, 7, NtpTime(0), at(2)), 7), Err(NtpError::NoTime));
        let kiss = answer(&packet(0xe4, 0, 7, NtpTime(0), NtpTime(0)), 7).expect("a kiss");
        assert_eq!((kiss.kiss(), kiss.is_synchronised()), (Some(b"RATE"), false));
        assert!(!answer(&packet(0xe4, 2, 7, at(1), at(2)), 7).expect("an answer").is_synchronised());
        assert!(!answer(&packet(0x24, 16, 7, at(1), at(2)), 7).expect("an answer").is_synchronised());
    }

    #[test]
    fn a_question_tells_nothing_but_its_cookie() {
        let packet = question(0x0102_0304_0506_0708);
        assert_eq!((packet[0], &packet[40..]), (0x23, &[1, 2, 3, 4, 5, 6, 7, 8][..]));
        assert!(packet[1..40].iter().all(|byte| *byte == 0));
    }
}
