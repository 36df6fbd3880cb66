//! What looks like chance and is the same in every run: without it copies would pack better than
//! what is real.

/// `SplitMix64`.
pub(super) struct Dice(u64);

/// What ids of service instances are made of.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Dice {
    /// The dice of a connection of a server.
    pub(super) fn of(server: usize, number: usize) -> Self {
        Self(((server as u64) << 32) | number as u64)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An id in the alphabet and length of those that service libraries make.
    pub(super) fn id(&mut self) -> String {
        let mut letter = || usize::try_from(self.roll() % LETTERS.len() as u64).unwrap_or(0);
        (0..22).map(|_| char::from(LETTERS[letter()])).collect()
    }
}
