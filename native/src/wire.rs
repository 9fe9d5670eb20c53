//! The few encodings that packets are made of: little-endian integers and length-encoded strings.

use crate::error::{Result, broken};

/// A packet that is read from its front. Every read is checked: bytes that are missing are an error.
#[derive(Clone, Copy)]
pub struct Wire<'a> {
    pub rest: &'a [u8],
}

impl<'a> Wire<'a> {
    #[inline(always)]
    pub fn new(packet: &'a [u8]) -> Self {
        Self { rest: packet }
    }

    #[inline(always)]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => short(length, self.rest.len()),
        }
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => short(N, self.rest.len()),
        }
    }

    #[inline(always)]
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A length-encoded integer; 0xFB and 0xFF are none.
    #[inline(always)]
    pub fn length(&mut self) -> Result<u64> {
        match self.u8()? {
            small @ ..0xFB => Ok(u64::from(small)),
            marker => self.long_length(marker),
        }
    }

    #[cold]
    fn long_length(&mut self, marker: u8) -> Result<u64> {
        match marker {
            0xFC => Ok(u64::from(self.u16()?)),
            0xFD => {
                let [a, b, c] = self.array()?;
                Ok(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xFE => Ok(u64::from_le_bytes(self.array()?)),
            other => broken(format!("{other:#04x} begins no length")),
        }
    }

    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A value of a text row: a length-encoded string, or NULL.
    #[inline(always)]
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>> {
        if self.rest.first() == Some(&0xFB) {
            self.rest = &self.rest[1..];
            return Ok(None);
        }
        self.bytes().map(Some)
    }
}

#[cold]
fn short<T>(wanted: usize, found: usize) -> Result<T> {
    broken(format!("a packet ends early: {wanted} bytes are wanted, {found} are there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_width() {
        for (bytes, expected) in [
            (&[0xFA][..], 250),
            (&[0xFC, 0xFB, 0x00], 251),
            (&[0xFD, 0, 0, 1], 65_536),
            (&[0xFE, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 24),
        ] {
            assert_eq!(Wire::new(bytes).length().unwrap(), expected);
        }
    }

    #[test]
    fn a_length_beyond_the_packet_is_refused() {
        assert!(Wire::new(&[5, b'a']).bytes().is_err());
        assert!(Wire::new(&[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).bytes().is_err());
        assert!(Wire::new(&[0xFF]).length().is_err());
    }
}
