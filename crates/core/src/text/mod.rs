//! Text for people: printable, short enough, and with nothing that may not be shown.

mod brief;
mod causes;
mod json_text;
mod shell_word;

pub use brief::{brief, cut};
pub use causes::causes;
pub use json_text::{JsonText, Lines, terminal_json};
pub use shell_word::shell_word;
