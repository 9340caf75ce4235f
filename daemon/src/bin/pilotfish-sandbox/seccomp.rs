//! System calls that birdcage's own filter leaves open, or answers so that programs do not fall back to what works.
//! Filters add up: each call gets the strictest answer, and among equals that of the filter that came last, which are ours.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::Failure;

mod setid;
pub(crate) mod weak;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: TargetArch = TargetArch::riscv64;

/// Calls that are as good as absent: work that bypasses filters, key rings of the user, opening files in a way that cannot be looked
/// into, and what birdcage denies with an answer that stops programs which can do without.
const ABSENT: &[libc::c_long] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_openat2,
    libc::SYS_userfaultfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy,
    libc::SYS_mbind,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
];

/// The first call that came after birdcage's list; up to the last, a kernel may know them, and programs try them first.
const FIRST_UNLISTED: libc::c_long = 450;
const LAST_UNLISTED: libc::c_long = 511;

/// The address families that have a use where no network is: local sockets, loopback, and asking for interfaces.
const FAMILIES: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Puts the filters in place, from here on and for good.
///
/// # Errors
/// When the kernel refuses one.
pub(crate) fn apply() -> Result<(), Failure> {
    let failure = |error| Failure::new("filter system calls", io::Error::other(error));
    foreign().map_err(failure)?;
    absent().map_err(failure)?;
    families().map_err(failure)?;
    setid::rules().and_then(|rules| install(rules, libc::EPERM)).map_err(failure)?;
    terminal().map_err(failure)
}

/// No system calls of the other kind that this machine's kernel may know: the filters know them by other numbers, and would let them pass.
#[cfg(target_arch = "x86_64")]
fn foreign() -> Result<(), seccompiler::Error> {
    /// The bit that marks a call of the x32 kind, from asm/unistd.h.
    const X32: u32 = 0x4000_0000;
    const LOAD_NUMBER: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const JUMP_IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
    let step = |code: u32, jt, jf, k| seccompiler::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
    seccompiler::apply_filter(&[
        step(LOAD_NUMBER, 0, 0, 0),
        step(JUMP_IF_AT_LEAST, 0, 1, X32),
        step(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
        step(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

/// Other machines have one kind of calls.
#[cfg(not(target_arch = "x86_64"))]
fn foreign() -> Result<(), seccompiler::Error> {
    Ok(())
}

fn absent() -> Result<(), seccompiler::Error> {
    let calls = ABSENT.iter().copied().chain(FIRST_UNLISTED..=LAST_UNLISTED);
    install(calls.map(|call| (call, Vec::new())).collect(), libc::ENOSYS)
}

/// No socket that reaches past the network namespace, such as one to the host of a virtual machine.
fn families() -> Result<(), seccompiler::Error> {
    let mut others = Vec::new();
    for family in FAMILIES {
        let family = u64::from(family.unsigned_abs());
        others.push(SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)?);
    }
    let rule = SeccompRule::new(others)?;
    let calls = [libc::SYS_socket, libc::SYS_socketpair];
    install(calls.into_iter().map(|call| (call, vec![rule.clone()])).collect(), libc::EAFNOSUPPORT)
}

/// No typing into the terminal that the person who started us sits at.
fn terminal() -> Result<(), seccompiler::Error> {
    let mut rules = Vec::new();
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        let is_it = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
        rules.push(SeccompRule::new(vec![is_it])?);
    }
    install(BTreeMap::from([(libc::SYS_ioctl, rules)]), libc::EPERM)
}

/// The rules of one filter: each call with the cases it is answered in, or none where it always is.
type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

/// A rule that holds when all of its conditions do: the argument, how it is compared, and with what.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::Error> {
    let condition = |(argument, operator, value): &(u8, SeccompCmpOp, u64)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
    };
    Ok(SeccompRule::new(conditions.iter().map(condition).collect::<Result<_, _>>()?)?)
}

fn install(rules: Rules, answer: i32) -> Result<(), seccompiler::Error> {
    let answer = SeccompAction::Errno(answer.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, ARCHITECTURE)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}
