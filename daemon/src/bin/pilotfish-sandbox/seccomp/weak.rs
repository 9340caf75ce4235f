//! The filters of a command that has neither mounts nor namespaces of its own: no network, nothing that changes files without
//! opening them for writing, nothing that reaches the person's other processes, and no namespace to regain power in.

use std::collections::BTreeMap;
use std::io;

use seccompiler::SeccompCmpOp;

use crate::Failure;
use crate::landlock::Signals;
use crate::seccomp::{Rules, rule};

/// Calls to whoever else listens.
const SOCKETS: &[libc::c_long] = &[libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen];

/// Kinds of socket pairs that can be turned to another address.
const TURNABLE: &[i32] = &[libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_DCCP];

/// Calls that change what a file is without writing to it, which Landlock knows nothing of.
const CHANGES: &[libc::c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
    libc::SYS_utimensat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
];

/// FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR of linux/fs.h, which do the same.
const CHANGES_BY_IOCTL: &[u64] = &[0x4008_6602, 0x401c_5820];

/// What all processes of a user share.
const SHARED: &[libc::c_long] = &[
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    // It cannot be looked into; who finds it missing uses the older call.
    libc::SYS_clone3,
];

/// Calls about a process, and which argument names it: zero is oneself.
const ABOUT_PROCESSES: &[(libc::c_long, u8)] = &[
    (libc::SYS_ioprio_set, 1),
    (libc::SYS_prlimit64, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setscheduler, 0),
    (libc::SYS_setpriority, 1),
];

/// Calls that send a signal, and which argument it is.
const SIGNALS: &[(libc::c_long, u8)] = &[
    (libc::SYS_kill, 1),
    (libc::SYS_pidfd_send_signal, 1),
    (libc::SYS_rt_sigqueueinfo, 1),
    (libc::SYS_rt_tgsigqueueinfo, 2),
    (libc::SYS_tgkill, 2),
    (libc::SYS_tkill, 1),
];

/// Puts the filters in place, from here on and for good.
///
/// # Errors
/// When the kernel refuses one.
pub(crate) fn apply(signals: Signals) -> Result<(), Failure> {
    let failure = |error| Failure::new("filter system calls", io::Error::other(error));
    let install = |rules: Result<Rules, seccompiler::Error>, answer| {
        rules.and_then(|rules| super::install(rules, answer)).map_err(failure)
    };
    install(all(SOCKETS), libc::EACCES)?;
    install(turnable(), libc::EACCES)?;
    install(all(CHANGES), libc::EPERM)?;
    install(changes_by_ioctl(), libc::EPERM)?;
    install(all(SHARED), libc::ENOSYS)?;
    install(namespaces(), libc::EPERM)?;
    install(about_processes(), libc::EPERM)?;
    match signals {
        Signals::KeptInside => Ok(()),
        Signals::Anybody => install(most_signals(), libc::EPERM),
    }
}

fn all(calls: &[libc::c_long]) -> Result<Rules, seccompiler::Error> {
    Ok(calls.iter().map(|call| (*call, Vec::new())).collect())
}

fn turnable() -> Result<Rules, seccompiler::Error> {
    let kinds = TURNABLE.iter().map(|kind| rule(&[(1, SeccompCmpOp::MaskedEq(0xf), u64::from(kind.unsigned_abs()))]));
    Ok(BTreeMap::from([(libc::SYS_socketpair, kinds.collect::<Result<_, _>>()?)]))
}

fn changes_by_ioctl() -> Result<Rules, seccompiler::Error> {
    let requests = CHANGES_BY_IOCTL.iter().map(|request| rule(&[(1, SeccompCmpOp::Eq, *request)]));
    Ok(BTreeMap::from([(libc::SYS_ioctl, requests.collect::<Result<_, _>>()?)]))
}

fn namespaces() -> Result<Rules, seccompiler::Error> {
    let user = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let makes_one = || rule(&[(0, SeccompCmpOp::MaskedEq(user), user)]).map(|rule| vec![rule]);
    Ok(BTreeMap::from([
        (libc::SYS_clone, makes_one()?),
        (libc::SYS_unshare, makes_one()?),
        (libc::SYS_setns, Vec::new()),
    ]))
}

fn about_processes() -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();
    for (call, argument) in ABOUT_PROCESSES {
        rules.entry(*call).or_default().push(rule(&[(*argument, SeccompCmpOp::Ne, 0)])?);
    }
    // Where the other argument names a group or a user, zero is one's own.
    for (call, process) in [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)] {
        rules.entry(call).or_default().push(rule(&[(0, SeccompCmpOp::Ne, process)])?);
    }
    Ok(rules)
}

/// All signals but the one that does nothing, and the one that programs in Go send to themselves and others ignore.
fn most_signals() -> Result<Rules, seccompiler::Error> {
    let harmful = |argument| {
        let urgent = u64::from(libc::SIGURG.unsigned_abs());
        rule(&[(argument, SeccompCmpOp::Ne, 0), (argument, SeccompCmpOp::Ne, urgent)])
    };
    SIGNALS.iter().map(|(call, argument)| Ok((*call, vec![harmful(*argument)?]))).collect()
}
