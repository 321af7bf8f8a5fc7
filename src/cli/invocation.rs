//! What a run is called in its statements.

use super::{Exit, Failure};

/// A random UUID (RFC 9562, version 4) as a URN.
pub(super) fn id() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Failure::new(Exit::Io, format!("the system gives no random numbers: {e}"))
            .remedy("check that getrandom(2) is not blocked by a seccomp profile")
    })?;
    Ok(urn(u128::from_be_bytes(bytes)))
}

fn urn(random: u128) -> String {
    let bits = random & !(0xF << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    let mut parts = Vec::with_capacity(5);
    let mut rest = hex.as_str();
    for length in [8, 4, 4, 4, 12] {
        let (part, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        parts.push(part);
        rest = tail;
    }
    format!("urn:uuid:{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_version_and_variant() {
        assert_eq!(urn(0), "urn:uuid:00000000-0000-4000-8000-000000000000");
        assert_eq!(urn(u128::MAX), "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
