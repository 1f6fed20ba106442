//! Numbers that nobody can guess, from the kernel's generator, a page of them at a time.

#[derive(Debug)]
pub struct Random {
    page: [u8; 1024],
    used: usize,
}

impl Default for Random {
    fn default() -> Self {
        Self { page: [0; 1024], used: 1024 }
    }
}

impl Random {
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.octets())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.octets())
    }

    fn octets<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > self.page.len() {
            // It does not fail after boot; what is known would only weaken the match by address.
            let _ = rustix::rand::getrandom(&mut self.page, rustix::rand::GetRandomFlags::empty());
            self.used = 0;
        }
        let octets = self.page[self.used..self.used + N].try_into().unwrap_or([0; N]);
        self.used += N;
        octets
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_comes_twice() {
        let mut random = Random::default();
        let numbers: HashSet<u64> = (0..1_000).map(|_| random.u64() ^ u64::from(random.u32())).collect();
        assert_eq!(numbers.len(), 1_000);
    }
}
