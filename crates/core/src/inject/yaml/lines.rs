//! Lines of a text, by their numbers and by their bytes.

/// Where each line begins. A line ends with LF, CR LF or CR, as YAML has it (1.2.2, 5.4).
#[derive(Debug)]
pub(in crate::inject) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(in crate::inject) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes
            .iter()
            .enumerate()
            .filter(|&(at, byte)| *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The number, from 0, of the line that a byte is in.
    pub(in crate::inject) fn of(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    /// The first byte of a line; the end of the text for a line past the last.
    pub(in crate::inject) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// What stands on a line before a byte.
    pub(in crate::inject) fn before(&self, byte: usize) -> &'t str {
        self.text.get(self.start(self.of(byte))..byte).unwrap_or_default().trim_start_matches('\u{feff}')
    }

    /// A line and what ends it.
    pub(in crate::inject) fn get(&self, line: usize) -> &'t str {
        self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default()
    }

    /// What ends the lines here: as the line before does or, where there is none, the first.
    pub(in crate::inject) fn ending(&self, line: usize) -> &'static str {
        let one = |line: &str| [("\r\n"), ("\n"), ("\r")].into_iter().find(|ending| line.ends_with(ending));
        line.checked_sub(1).and_then(|line| one(self.get(line))).or_else(|| one(self.get(0))).unwrap_or("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_yaml() {
        let lines = Lines::new("a\r\nb\rc\nd");
        assert_eq!((0..5).map(|n| lines.get(n)).collect::<Vec<_>>(), ["a\r\n", "b\r", "c\n", "d", ""]);
        assert_eq!((0..4).map(|n| lines.ending(n)).collect::<Vec<_>>(), ["\r\n", "\r\n", "\r", "\n"]);
        assert_eq!([0, 2, 3, 4, 5, 7].map(|byte| lines.of(byte)), [0, 0, 1, 1, 2, 3]);
        assert_eq!(Lines::new("").get(0), "");
    }
}
