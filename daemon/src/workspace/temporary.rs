//! The names of files that are staged beside their targets: `.NAME.pilotfish-PID-N`. What a crash leaves behind is known by them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};

const MARK: &[u8] = b".pilotfish-";

/// A number that this process gave to nothing else.
pub(super) fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A free name for what is staged for `name`.
pub(super) fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    // A name may have at most 255 bytes.
    let kept = name.as_bytes().get(..name.len().min(180)).unwrap_or_default();
    temporary.push(OsStr::from_bytes(kept));
    temporary.push(OsStr::from_bytes(MARK));
    temporary.push(format!("{}-{}", std::process::id(), next_number()));
    temporary
}

/// The process that staged something under this name, if it is such a name.
pub(super) fn temporary_of(name: &OsStr) -> Option<u32> {
    let name = name.as_bytes();
    let at = name.windows(MARK.len()).rposition(|window| window == MARK)?;
    let rest = std::str::from_utf8(name.get(at + MARK.len()..)?).ok()?;
    let (process, number) = rest.split_once('-')?;
    number.parse::<u64>().ok()?;
    process.parse().ok().filter(|_| name.starts_with(b"."))
}
