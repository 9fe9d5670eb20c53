//! Framing: a stream of bytes becomes packets. Packets of 16 MB and more come in several pieces and are joined in place.

use crate::error::{Result, broken};

const HEADER: usize = 4;
const FULL: usize = 0xFF_FFFF;

/// Bytes that were received and not yet taken. One buffer is reused for all packets and grows with the longest one,
/// never ahead of the bytes that have come.
pub struct Packets {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    max_packet: usize,
    sequence: Option<u8>,
}

impl Packets {
    pub fn new(max_packet: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, max_packet, sequence: None }
    }

    /// Room for the next bytes, at least `wanted` of them; `filled` tells how many came.
    pub fn space(&mut self, wanted: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.buffer.len() - self.end < wanted && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < wanted {
            let doubled = (self.end * 2).max(self.end + wanted);
            self.buffer.resize(doubled, 0);
        }
        &mut self.buffer[self.end..]
    }

    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.filled(bytes.len());
    }

    /// How many bytes were received and not yet taken as packets.
    pub fn waiting(&self) -> usize {
        self.end - self.start
    }

    /// The next whole packet, or None until more bytes have come.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>> {
        let bytes = &self.buffer[self.start..self.end];
        let Some((&[a, b, c, sequence], rest)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if length > self.max_packet {
            return self.too_long(length);
        }
        if length == FULL {
            return self.next_long_packet();
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.follow(sequence)?;
        let from = self.start + HEADER;
        self.start = from + length;
        Ok(Some(&self.buffer[from..from + length]))
    }

    /// Finds the pieces first and joins them only when all are there, so that nothing is moved twice.
    #[cold]
    fn next_long_packet(&mut self) -> Result<Option<&[u8]>> {
        let (mut at, mut total) = (self.start, 0);
        loop {
            let Some(&[a, b, c, _]) = self.buffer[at..self.end].first_chunk::<HEADER>() else { return Ok(None) };
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            total += length;
            if total > self.max_packet {
                return self.too_long(total);
            }
            if self.end - at - HEADER < length {
                return Ok(None);
            }
            at += HEADER + length;
            if length < FULL {
                break;
            }
        }
        let (from, stop) = (self.start + HEADER, at);
        let (mut read, mut write) = (self.start, from);
        while read < stop {
            let length =
                u32::from_le_bytes([self.buffer[read], self.buffer[read + 1], self.buffer[read + 2], 0]) as usize;
            self.follow(self.buffer[read + 3])?;
            self.buffer.copy_within(read + HEADER..read + HEADER + length, write);
            read += HEADER + length;
            write += length;
        }
        self.start = stop;
        Ok(Some(&self.buffer[from..write]))
    }

    /// The server counts its packets; a gap means that bytes were lost or are of another reply.
    #[inline]
    fn follow(&mut self, sequence: u8) -> Result<()> {
        if let Some(last) = self.sequence
            && sequence != last.wrapping_add(1)
        {
            return broken(format!("packet {sequence} follows packet {last}"));
        }
        self.sequence = Some(sequence);
        Ok(())
    }

    #[cold]
    fn too_long<T>(&self, length: usize) -> Result<T> {
        broken(format!("a packet of {length} bytes is longer than max_packet, {}", self.max_packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sequence = 0u8;
        let mut rest = payload;
        loop {
            let piece = &rest[..rest.len().min(FULL)];
            out.extend_from_slice(&(piece.len() as u32).to_le_bytes()[..3]);
            out.push(sequence);
            out.extend_from_slice(piece);
            sequence += 1;
            rest = &rest[piece.len()..];
            if piece.len() < FULL {
                return out;
            }
        }
    }

    #[test]
    fn long_packets_are_joined() {
        for length in [FULL - 1, FULL, FULL + 1, 2 * FULL, 2 * FULL + 7] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut packets = Packets::new(1 << 30);
            for chunk in framed(&payload).chunks(1 << 20) {
                assert!(packets.next_packet().unwrap().is_none());
                packets.feed(chunk);
            }
            assert!(packets.next_packet().unwrap() == Some(&payload[..]), "{length}");
            assert_eq!(packets.waiting(), 0);
        }
    }

    #[test]
    fn a_packet_beyond_the_limit_is_refused_by_its_header() {
        let mut packets = Packets::new(1000);
        packets.feed(&[0xE9, 0x03, 0, 0]);
        assert!(packets.next_packet().is_err());
    }

    #[test]
    fn a_gap_in_the_count_is_refused() {
        let mut packets = Packets::new(1000);
        packets.feed(&[1, 0, 0, 1, b'a', 1, 0, 0, 3, b'b']);
        assert_eq!(packets.next_packet().unwrap(), Some(&b"a"[..]));
        assert!(packets.next_packet().is_err());
    }
}
