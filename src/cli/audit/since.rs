//! Since when something has to have changed to be looked at.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// Longer is no time from now.
const MOST_DAYS: i64 = 36_500;

/// A time, or how long ago it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    At(Timestamp),
    Ago(SignedDuration),
}

impl Since {
    /// The time, if it is now this one.
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

impl FromStr for Since {
    type Err = &'static str;

    /// `24h`, `1h30m`, as Go writes durations, with days before that (`7d`, as `argo` takes them); or
    /// a time as RFC 3339 has it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ODD: &str = "no time such as 2026-11-26T02:00:00Z, and no duration such as 24h or 7d";
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        let (days, rest) = match text.split_once('d') {
            Some((days, rest)) if days.bytes().all(|byte| byte.is_ascii_digit()) => {
                (days.parse::<i64>().ok().filter(|days| *days <= MOST_DAYS).ok_or(ODD)?, rest)
            }
            _ => (0, text),
        };
        let is_go = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b".hms".contains(&b));
        let rest = match rest {
            "" if days > 0 => SignedDuration::ZERO,
            rest if is_go(rest) => rest.parse().map_err(|_| ODD)?,
            _ => return Err(ODD),
        };
        let ago = SignedDuration::from_hours(24 * days).checked_add(rest).ok_or(ODD)?;
        let is_some = ago > SignedDuration::ZERO && ago <= SignedDuration::from_hours(24 * MOST_DAYS);
        if is_some { Ok(Self::Ago(ago)) } else { Err(ODD) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_time_or_a_duration() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        for (text, at) in [
            ("24h", "2026-11-25T12:00:00Z"),
            ("1h30m", "2026-11-26T10:30:00Z"),
            ("90s", "2026-11-26T11:58:30Z"),
            ("7d", "2026-11-19T12:00:00Z"),
            ("1d12h", "2026-11-25T00:00:00Z"),
            ("2026-11-26T02:00:00+01:00", "2026-11-26T01:00:00Z"),
        ] {
            let since: Since = text.parse().unwrap();
            assert_eq!(since.at(now), at.parse::<Timestamp>().unwrap(), "{text}");
        }
        for odd in [
            "",
            "0",
            "24",
            "-1h",
            "h",
            "d",
            "1w",
            "1 h",
            "yesterday",
            "0h",
            "999999d",
            "1d-1h",
            "99999999999h",
        ] {
            assert!(odd.parse::<Since>().is_err(), "{odd}");
        }
    }
}
