//! Randomness as a parameter (乱数).

use std::sync::Mutex;

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator; the only place that calls it.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    #[expect(
        clippy::expect_used,
        reason = "without randomness no key and no session is safe: stop"
    )]
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).expect("the system's random generator failed");
    }
}

/// A password that can be read aloud: four groups of four, no look-alikes (about 74 bits).
pub fn readable(random: &dyn Random) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut out = String::new();
    while out.len() < 19 {
        let mut byte = [0u8];
        random.fill(&mut byte);
        // 248 = 8 x 31: no letter is likelier than another.
        if byte[0] < 248 {
            if out.len() % 5 == 4 {
                out.push('-');
            }
            out.push(char::from(LETTERS[usize::from(byte[0] % 31)]));
        }
    }
    out
}

/// A reproducible generator for sample data and tests (SplitMix64). Never for keys.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// A generator whose bytes are a function of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        u64::try_from((u128::from(self.next_u64()) * u128::from(bound)) >> 64).unwrap_or(0)
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readable_password_has_its_shape_and_no_look_alikes() {
        for seed in 0..50 {
            let made = readable(&SeededRandom::new(seed));
            assert_eq!((made.len(), made.matches('-').count()), (19, 3), "{made}");
            assert!(!made.contains(['i', 'l', 'o', '0', '1']), "{made}");
        }
    }
}
