//! Bitmaps as row events have them: the first column is the lowest bit of the first byte.

#[derive(Clone, Copy)]
pub struct Bits<'a>(pub &'a [u8]);

impl Bits<'_> {
    /// Bits beyond the end are 0.
    #[inline(always)]
    pub fn get(self, at: usize) -> bool {
        self.0.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// How many of the first `length` bits are 1.
    pub fn count(self, length: usize) -> usize {
        let whole = self.0.iter().take(length / 8).map(|byte| byte.count_ones() as usize).sum::<usize>();
        whole + (length / 8 * 8..length).filter(|&at| self.get(at)).count()
    }
}
