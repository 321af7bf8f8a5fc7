//! Whether the store holds exactly what was written.

mod case;
mod double;
mod each;
mod entries;
mod evidence;
mod packings;
mod trouble;
