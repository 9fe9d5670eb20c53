//! MySQL's global transaction identifiers: sets of them, and those that are still missing.

use std::str::FromStr;

use mysql_common::packets::{GnoInterval, Sid, Tag};

use crate::error::{Error, Result};

/// One server's transactions under one tag, as intervals in their order: first number, and the one after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    uuid: [u8; 16],
    tag: String,
    intervals: Vec<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gtid {
    pub uuid: [u8; 16],
    pub tag: String,
    pub number: u64,
}

/// A set of transactions. There are a handful of origins, looked at in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidSet(Vec<Origin>);

impl FromStr for GtidSet {
    type Err = Error;

    /// Reads `uuid:1-5:7,uuid:tag:1-2`, as `gtid_executed` prints it; several tags may follow one uuid.
    fn from_str(text: &str) -> Result<Self> {
        let mut found = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (uuid, rest) = part.split_once(':').ok_or_else(|| no_set(part))?;
            for group in tagged(rest) {
                let sid: Sid = format!("{uuid}:{group}").parse().map_err(|_| no_set(part))?;
                let tag = sid.tag().map(|tag| tag.as_str().to_owned()).unwrap_or_default();
                for interval in sid.intervals() {
                    found.add(sid.uuid(), &tag, interval.start(), interval.end());
                }
            }
        }
        Ok(found)
    }
}

fn no_set(text: &str) -> Error {
    Error::Option(format!("{text:?} is no set of GTIDs"))
}

/// `1-5:7:tag:1-2:other:3` in the pieces that each have one tag at most.
fn tagged(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = vec![];
    let mut after_tag = false;
    for word in text.split(':').map(str::trim) {
        let is_tag = !word.starts_with(|first: char| first.is_ascii_digit());
        match pieces.last_mut() {
            Some(piece) if !is_tag || after_tag => *piece = format!("{piece}:{word}"),
            _ => pieces.push(word.to_owned()),
        }
        after_tag = is_tag;
    }
    pieces
}

impl GtidSet {
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|origin| origin.intervals.is_empty())
    }

    pub fn contains(&self, gtid: &Gtid) -> bool {
        self.origin(&gtid.uuid, &gtid.tag).is_some_and(|origin| {
            let after = origin.intervals.partition_point(|&(start, _)| start <= gtid.number);
            after > 0 && gtid.number < origin.intervals[after - 1].1
        })
    }

    /// Takes one transaction out of the set.
    pub fn remove(&mut self, gtid: &Gtid) {
        self.subtract(&gtid.uuid, &gtid.tag, gtid.number, gtid.number.saturating_add(1));
    }

    pub fn remove_all(&mut self, other: &Self) {
        for origin in &other.0 {
            for &(start, end) in &origin.intervals {
                self.subtract(&origin.uuid, &origin.tag, start, end);
            }
        }
    }

    /// As the command that asks for a dump has it.
    pub fn sids(&self) -> Result<Vec<Sid<'static>>> {
        let no_tag = |error| Error::Option(format!("{error}"));
        self.0
            .iter()
            .map(|origin| {
                let intervals = origin.intervals.iter().map(|&(start, end)| GnoInterval::new(start, end)).collect();
                let sid = Sid::new(origin.uuid).with_intervals(intervals);
                if origin.tag.is_empty() {
                    return Ok(sid);
                }
                Ok(sid.with_tag(Tag::new(origin.tag.clone()).map_err(no_tag)?))
            })
            .collect()
    }

    fn origin(&self, uuid: &[u8; 16], tag: &str) -> Option<&Origin> {
        self.0.iter().find(|origin| origin.uuid == *uuid && origin.tag == tag)
    }

    fn add(&mut self, uuid: [u8; 16], tag: &str, start: u64, end: u64) {
        let at = self.0.iter().position(|origin| origin.uuid == uuid && origin.tag == tag).unwrap_or_else(|| {
            self.0.push(Origin { uuid, tag: tag.to_owned(), intervals: vec![] });
            self.0.len() - 1
        });
        let intervals = &mut self.0[at].intervals;
        intervals.push((start, end));
        intervals.sort_unstable();
        intervals.dedup_by(|next, before| {
            let touches = next.0 <= before.1;
            if touches {
                before.1 = before.1.max(next.1);
            }
            touches
        });
    }

    fn subtract(&mut self, uuid: &[u8; 16], tag: &str, start: u64, end: u64) {
        let Some(origin) = self.0.iter_mut().find(|origin| origin.uuid == *uuid && origin.tag == tag) else { return };
        let intervals = &mut origin.intervals;
        let mut at = intervals.partition_point(|&(_, last)| last <= start);
        while let Some(&(from, to)) = intervals.get(at).filter(|&&(from, _)| from < end) {
            // What is left of the interval before and behind the part that goes.
            let left = [(from, start.min(to)), (end.max(from), to)];
            let left = left.into_iter().filter(|(from, to)| from < to);
            let before = intervals.len();
            intervals.splice(at..=at, left);
            at += intervals.len() + 1 - before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const TWO: &str = "4C9E3DFC-9D25-11E9-8D2E-0242AC1CFD7E";

    fn set(text: &str) -> GtidSet {
        text.replace("ONE", ONE).replace("TWO", TWO).parse().unwrap()
    }

    fn gtid(text: &str) -> Gtid {
        let Origin { uuid, tag, intervals } = set(text).0.remove(0);
        Gtid { uuid, tag, number: intervals[0].0 }
    }

    #[test]
    fn what_is_missing_goes_in_any_order() {
        let mut missing = set("ONE:1-9:20,\nTWO:1-2");
        missing.remove_all(&set("ONE:1-5"));
        assert_eq!(missing, set("ONE:6-9:20,TWO:1-2"));
        for text in ["ONE:8", "TWO:1", "ONE:20", "ONE:99", "TWO:2", "ONE:6", "ONE:9"] {
            missing.remove(&gtid(text));
        }
        assert_eq!(missing.0[0].intervals, [(7, 8)]);
        assert!(!missing.is_empty());
        missing.remove(&gtid("ONE:7"));
        assert!(missing.is_empty());
    }

    #[test]
    fn intervals_join_and_are_found() {
        let found = set("ONE:5-7:1-4:9");
        assert_eq!(found.0[0].intervals, [(1, 8), (9, 10)]);
        for (text, expected) in [("ONE:1", true), ("ONE:7", true), ("ONE:8", false), ("ONE:9", true), ("TWO:1", false)]
        {
            assert_eq!(found.contains(&gtid(text)), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_transactions_of_their_own() {
        let mut missing = set("ONE:1-3:night:1-2:7");
        assert_eq!(missing.sids().unwrap().len(), 2);
        assert!(missing.contains(&gtid("ONE:night:7")) && !missing.contains(&gtid("ONE:7")));
        missing.remove_all(&set("ONE:night:1-9"));
        assert!(!missing.contains(&gtid("ONE:night:2")) && missing.contains(&gtid("ONE:2")));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["x", "ONE", "ONE:", "ONE:a", "0-1-5"] {
            assert!(text.replace("ONE", ONE).parse::<GtidSet>().is_err(), "{text}");
        }
    }
}
