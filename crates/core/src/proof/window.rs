//! When a key or a certificate counts.

use jiff::Timestamp;

/// From when on and until when; both ends belong to it (`TimeRange` of Sigstore's
/// `protobuf-specs`: a closed interval).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
}

impl Window {
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at <= end)
    }
}
