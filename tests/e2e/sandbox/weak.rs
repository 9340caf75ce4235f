//! Where the machine refuses user namespaces, a command still runs confined, and says so: it reads, runs, and writes to nothing but a
//! folder of its own.

use super::cage::{Cage, marked, picture};
use pilotfish::sandbox::{Confinement, Exit, Sandbox, Stopped, Tier};
use pilotfish_protocol::Mode;
use pilotfish_tests::bins;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

/// Set where a test of this module is run again, without namespaces.
const INSIDE: &str = "PILOTFISH_TEST_WITHOUT_NAMESPACES";

/// Whether there are none. Otherwise a test has nothing to do: the one that names it has it run again.
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a test of this module where no user namespace can be made, and returns what it printed.
fn without_namespaces(test: &str) {
    let this = std::env::current_exe().expect("this test");
    let output = Command::new("unshare")
        .args(["-Ur", "bash", "-c"])
        .arg("echo 0 > /proc/sys/user/max_user_namespaces && exec \"$TEST\" --exact \"$NAME\"")
        .env(INSIDE, "1")
        .env("TEST", this)
        .env("NAME", format!("sandbox::weak::{test}"))
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said} {}", String::from_utf8_lossy(&output.stderr));
}

macro_rules! where_namespaces_are_refused {
    ($($name:ident => $inside:ident,)*) => {$(
        #[test]
        fn $name() {
            without_namespaces(stringify!($inside));
        }
    )*};
}

where_namespaces_are_refused! {
    it_is_named_with_its_mend => inside_named,
    it_reads_and_runs_and_writes_to_its_own_folder_alone => inside_writes,
    it_has_no_network_no_secret_and_no_power => inside_secrets,
    it_does_not_reach_other_processes => inside_processes,
    it_leaves_no_process_and_no_folder => inside_end,
    what_cannot_start_is_refused_there_too => inside_refused,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

async fn run(cage: &Cage, script: &str) -> (Exit, String) {
    let (finished, said) = cage.run(Mode::Agent, script, None).await;
    assert!(matches!(finished.tier, Tier::Weak { .. }), "{finished:?}");
    (finished.status, said)
}

#[test]
fn inside_named() {
    if !is_inside() {
        return;
    }
    let sandbox = Sandbox::open(&bins::pilotfish_sandbox()).expect("built");
    let Confinement::Weak { reason, mend } = sandbox.check() else { panic!("{:?}", sandbox.check()) };
    assert!(reason.starts_with("cannot make namespaces of our own"), "{reason}");
    assert_eq!(mend, "allow user namespaces: sudo sysctl -w user.max_user_namespaces=15000");
}

#[test]
fn inside_writes() {
    if !is_inside() {
        return;
    }
    let cage = Cage::unchecked();
    cage.write("a", "before\n");
    cage.write("tool", "#!/bin/sh\necho ran\n");
    let before = picture(cage.folder.path());
    let script = "cat a; sh tool; cd $TMPDIR && echo t > t && mv t u && cat u && mkdir d && rm -r d; echo $HOME > ~/h && cat ~/h >/dev/null; cd \"$OLDPWD\"
        exec 2>/dev/null; echo x > a; echo x >> a; rm a; mkdir b; ln -s a c; mv a d; truncate -s 0 a; chmod 777 a; touch a; setfattr -n user.x -v y a; chattr +A a
        python3 -c 'import os; os.truncate(\"a\", 0)'; python3 -c 'import os; os.open(\"a\", os.O_RDONLY | os.O_TRUNC)'
        for p in .. ../outside ../home /tmp /var/tmp /dev/shm /proc/self/cwd/..; do echo x > $p/new; echo x > $p/canary; done
        ln a $TMPDIR/l && echo x > $TMPDIR/l; exit 4";
    assert_eq!(block_on(run(&cage, script)), (Exit::Code(4), "before\nran\nt\n".to_owned()));
    assert_eq!(picture(cage.folder.path()), before);
}

#[test]
fn inside_secrets() {
    if !is_inside() {
        return;
    }
    let cage = Cage::unchecked();
    fs::write(cage.folder.path().join("home/.netrc"), "SECRET").expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let script = format!(
        "exec 2>/dev/null; cat {0}/home/.netrc {0}/home/.bashrc {0}/outside/canary /etc/shadow /proc/1/environ /proc/{1}/environ; ls {0} /proc ~root /run
         echo x > /dev/tcp/127.0.0.1/{port}; echo x > /dev/udp/127.0.0.1/{port}
         python3 -c '
import ctypes, socket
for family in range(1, 46):
    for kind in (1, 2, 3, 5):
        try: socket.socket(family, kind); print(\"open\", family, kind)
        except OSError: pass
try: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); print(\"pair\")
except OSError: pass
one, other = socket.socketpair(); one.send(b\"pairs work\"); print(other.recv(99).decode())
libc = ctypes.CDLL(None)
print(libc.prctl(39, 0, 0, 0, 0), libc.syscall(272, 0x10000000), libc.ptrace(16, {1}, 0, 0))'; unshare -Ur true && echo namespace; true",
        cage.folder.path().display(),
        std::process::id(),
    );
    assert_eq!(block_on(run(&cage, &script)), (Exit::Code(0), "pairs work\n1 -1 -1\n".to_owned()));
    assert!(listener.accept().is_err());
}

#[test]
fn inside_processes() {
    if !is_inside() {
        return;
    }
    let cage = Cage::unchecked();
    let mut bystander = Command::new("sleep").arg("300").spawn().expect("sleep");
    let pid = bystander.id();
    let script = format!(
        "exec 2>/dev/null; for s in 9 STOP TERM ABRT; do kill -$s {pid}; kill -$s -1; done; prlimit --pid {pid} --cpu=1; renice 10 {pid}; echo on; exit 0"
    );
    let (status, said) = block_on(run(&cage, &script));
    // It may well have ended itself, as the last of the kills asked.
    assert!(said.is_empty() || said == "on\n", "{status:?} {said}");
    assert!(bystander.try_wait().expect("a child").is_none());
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).expect("alive");
    assert!(state.contains(" S "), "{state}");
    bystander.kill().expect("ended");
    bystander.wait().expect("ended");
}

#[test]
fn inside_end() {
    if !is_inside() {
        return;
    }
    let mut cage = Cage::unchecked();
    let mark = format!("weak-{}", std::process::id());
    let endless = format!("bash -c 'trap \"\" TERM HUP; while :; do sleep 1; done; : {mark}'");
    let (status, said) = block_on(run(
        &cage,
        &format!("(setsid {endless} &) ; setsid nohup {endless} & echo $TMPDIR; mkdir -m 0 $TMPDIR/closed; exit 5"),
    ));
    assert_eq!((status, marked(&mark)), (Exit::Code(5), 0));
    assert!(said.starts_with("/tmp/pilotfish-") && !fs::exists(said.trim()).expect("known"), "{said}");
    let (finished, said) =
        block_on(cage.run(Mode::Agent, &format!("echo $TMPDIR; setsid {endless} & {endless}"), Some("/")));
    assert_eq!((finished.stopped, marked(&mark)), (Some(Stopped::Cancelled), 0));
    assert!(!fs::exists(said.trim()).expect("known"));
    cage.time_limit = Some(std::time::Duration::from_millis(300));
    let (finished, _) = block_on(cage.run(Mode::Agent, &endless, None));
    assert_eq!((finished.stopped, marked(&mark)), (Some(Stopped::TimeLimit), 0));
}

#[test]
fn inside_refused() {
    if !is_inside() {
        return;
    }
    let cage = Cage::unchecked();
    let mut spec = cage.spec(Mode::Agent, &["true"], vec![]);
    let missing = pilotfish::path::AbsPath::new(cage.folder.path().join("missing")).expect("absolute");
    (spec.workspace, spec.cwd) = (missing.clone(), missing);
    let refused = cage.sandbox.run_attached(&spec).expect_err("there is no workspace").to_string();
    assert!(refused.contains("cannot make namespaces") && refused.contains("with less, cannot"), "{refused}");
    let (finished, said) = block_on(cage.run_argv(Mode::Agent, &["no-such-program"]));
    assert_eq!(
        (finished.status, said.as_str()),
        (Exit::Code(127), "pilotfish-sandbox: no-such-program: program not found\n")
    );
}
