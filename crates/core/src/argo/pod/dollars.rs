//! Text that the kubelet has expanded, beside text that it has not.
//!
//! In a variable, a command or an argument the kubelet takes `$(NAME)` for a variable,
//! leaves it where there is none of that name, and makes `$` of `$$`
//! (`third_party/forked/golang/expansion` in Kubernetes). The template's text is the value of a variable
//! and so went through it; what the pod's spec says has not. Which `$$` were taken for
//! one depends on what is around them, across the borders of JSON strings too, so that
//! two texts are compared with each run of `$` as one. A variable that was replaced is
//! a difference: its value is none of the template's.

/// Whether the two are the same but for the number of `$` in a row.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || runs(one).eq(runs(other))
}

fn runs(text: &str) -> impl Iterator<Item = u8> {
    let mut before = 0;
    text.bytes().filter(move |byte| {
        let first = *byte != b'$' || before != b'$';
        before = *byte;
        first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_dollars_is_one() {
        for (one, other) in
            [("", ""), ("a", "a"), ("$$", "$"), ("$$$$x", "$$x"), ("a$$(B)", "a$(B)"), ("$ $$", "$$ $")]
        {
            assert!(same(one, other) && same(other, one), "{one} {other}");
        }
        for (one, other) in [("", "$"), ("a", "b"), ("$a$", "$$a"), ("$(A)", "A"), ("$ $", "$$"), ("ä", "a")]
        {
            assert!(!same(one, other) && !same(other, one), "{one} {other}");
        }
    }
}
