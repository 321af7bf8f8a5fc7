//! Text that somebody is to type.

/// The text as one word of a shell. Whether it is fit to be shown is the caller's affair.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_word() {
        for (text, word) in [
            ("/etc/k.key", "/etc/k.key"),
            ("", "''"),
            ("my key; rm -rf ~", "'my key; rm -rf ~'"),
            ("it's", r"'it'\''s'"),
            ("a%1B[2Jb", "'a%1B[2Jb'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
