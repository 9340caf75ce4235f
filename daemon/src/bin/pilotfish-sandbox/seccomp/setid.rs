//! No file that runs with the rights of its owner or group, whoever starts it: what a command made would outlive its confinement.
//! Folders may be made with that bit, which only hands their group on; a mode with it is refused for folders too, since a call does not
//! tell what it is about.

use seccompiler::SeccompCmpOp;

use super::{Rules, rule};

/// The bits of a mode that give a program its file's owner, or group.
const BITS: [u32; 2] = [libc::S_ISUID, libc::S_ISGID];

/// The bit of an opening that makes a file without a name, from asm-generic/fcntl.h: what libc calls so holds another one as well.
const NAMELESS: u64 = 0o20_000_000;

/// Calls that give a file its mode, and which argument that is.
const MODES: &[(libc::c_long, u8)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (libc::SYS_mknodat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
];

/// Calls that open a file, and which argument says how. The mode follows, and means something where a file is made.
const OPENINGS: &[(libc::c_long, u8)] = &[
    (libc::SYS_openat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
];

/// The calls to refuse.
pub(super) fn rules() -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();
    for bit in BITS.map(u64::from) {
        let is_set = |argument| (argument, SeccompCmpOp::MaskedEq(bit), bit);
        for (call, mode) in MODES {
            rules.entry(*call).or_default().push(rule(&[is_set(*mode)])?);
        }
        for (call, how) in OPENINGS {
            for making in [u64::from(libc::O_CREAT.unsigned_abs()), NAMELESS] {
                let makes = (*how, SeccompCmpOp::MaskedEq(making), making);
                rules.entry(*call).or_default().push(rule(&[makes, is_set(*how + 1)])?);
            }
        }
    }
    Ok(rules)
}
