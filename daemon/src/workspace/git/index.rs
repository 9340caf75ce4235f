//! Reading git's index: which paths it names, and nothing else of it.

/// What an index begins with.
const MAGIC: &[u8] = b"DIRC";

/// Bytes of an entry before its object's name.
const STATUS: usize = 40;

/// Set in an entry's flags when two more bytes of them follow.
const EXTENDED: u16 = 0x4000;

/// The paths of an index of version 2 or 3, folders of a sparse one with a slash at their end. `object` is the length of an object's
/// name in bytes. `None` when it is of another version, or not all of it is here. The format is git's `gitformat-index`.
pub(in crate::workspace) fn paths(index: &[u8], object: usize) -> Option<Vec<&[u8]>> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    let is_known = index.starts_with(MAGIC) && matches!(number(4)?, 2 | 3);
    let count = number(8).filter(|_| is_known)?;
    let (mut paths, mut at) = (Vec::new(), 12);
    for _ in 0..count {
        let flags = u16::from_be_bytes(index.get(at + STATUS + object..)?.get(..2)?.try_into().ok()?);
        let start = at + STATUS + object + if flags & EXTENDED == 0 { 2 } else { 4 };
        let path = index.get(start..)?.split(|&byte| byte == 0).next()?;
        paths.push(path);
        // At least one zero byte, and as many as make it a multiple of eight.
        at += (start + path.len() - at) / 8 * 8 + 8;
    }
    // Another file has the rest of the entries, or what follows is no index.
    while index.len() > at + object {
        let name = index.get(at..at + 4)?;
        if name == b"link" {
            return None;
        }
        at += 8 + usize::try_from(number(at + 4)?).ok()?;
    }
    (index.len() == at + object).then_some(paths)
}
