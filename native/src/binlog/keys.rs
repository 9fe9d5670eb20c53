//! The keys of one table that changed, each once, with what happened to it last.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Keys as bytes, one behind the other, and a table of hashes to find one again.
#[derive(Default)]
pub struct Keys {
    bytes: Vec<u8>,
    /// Where each key ends.
    ends: Vec<u32>,
    operations: Vec<Operation>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Keys {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, at: usize) -> &[u8] {
        key(&self.bytes, &self.ends, at)
    }

    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Bytes of memory that are taken.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<u32>()
            + self.operations.capacity()
            + self.places.allocation_size()
    }

    /// Notes a key. Returns its number; None when 32 bits hold no more.
    #[inline]
    pub fn put(&mut self, new: &[u8], operation: Operation) -> Option<u32> {
        let Self { bytes, ends, operations, places, hasher } = self;
        let hash = hash(hasher, new);
        if let Some(&at) = places.find(hash, |&at| key(bytes, ends, at as usize) == new) {
            operations[at as usize] = operation;
            return Some(at);
        }
        let at = u32::try_from(ends.len()).ok()?;
        let end = u32::try_from(bytes.len() + new.len()).ok()?;
        bytes.extend_from_slice(new);
        ends.push(end);
        operations.push(operation);
        places.insert_unique(hash, at, |&at| self::hash(hasher, key(bytes, ends, at as usize)));
        Some(at)
    }
}

#[inline(always)]
fn key<'a>(bytes: &'a [u8], ends: &[u32], at: usize) -> &'a [u8] {
    let start = at.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &bytes[start..ends[at] as usize]
}

#[inline(always)]
fn hash(hasher: &DefaultHashBuilder, key: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(key);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once_with_its_last_operation() {
        let mut keys = Keys::default();
        assert_eq!(keys.put(b"a", Operation::Insert), Some(0));
        assert_eq!(keys.put(b"", Operation::Insert), Some(1));
        assert_eq!(keys.put(b"a", Operation::Delete), Some(0));
        for number in 0..1000u32 {
            keys.put(&number.to_le_bytes(), Operation::Update);
        }
        assert_eq!((keys.len(), keys.get(0), keys.get(1)), (1002, &b"a"[..], &b""[..]));
        assert_eq!(keys.operations()[..3], [Operation::Delete, Operation::Insert, Operation::Update]);
        assert!(keys.memory() > 5000);
    }
}
