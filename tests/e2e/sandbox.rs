//! Commands run confined, end with everything they started, and leave a faithful status. Drives the built helper program.
//!
//! [`classes`] holds what must not be possible, a test for each class of attack; [`overlay`] what a command changes and where that lands;
//! [`weak`] the confinement where namespaces are refused; [`runner`] the command line; and [`ordinary`] runs all of it again as
//! a user who is not root.

mod cage;
mod classes;
mod ordinary;
mod overlay;
mod runner;
mod weak;

use cage::{Cage, marked};
use pilotfish::path::AbsPath;
use pilotfish::sandbox::{Attendance, Exit, Sandbox, SandboxError, Stopped};
use pilotfish_protocol::Mode;
use std::io::{Read, Write};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn output_keeps_its_order_and_the_status_its_meaning() {
    let cage = Cage::new();
    cage.check(Mode::Agent, "echo a; echo b >&2; echo c; exit 37", Exit::Code(37), "a\nb\nc\n").await;
    cage.check(Mode::ReadOnly, "cat; kill -SEGV $$", Exit::Signal(11), "").await;
    cage.check(Mode::ReadOnly, "exit 1", Exit::Code(1), "").await;
    let (finished, said) = cage.run_argv(Mode::Agent, &["no-such-program"]).await;
    assert_eq!(finished.status, Exit::Code(127));
    assert_eq!(said, "pilotfish-sandbox: no-such-program: program not found\n");
    let (_, said) = cage.run_argv(Mode::Agent, &["printf", "[%s]", "a  b", "", "\"'\\\n"]).await;
    assert_eq!(said, "[a  b][][\"'\\\n]");
}

#[tokio::test]
async fn loopback_works_inside_and_leads_nowhere() {
    let cage = Cage::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let script = format!(
        "python3 -c '
import socket
server = socket.create_server((\"127.0.0.1\", 0))
client = socket.create_connection(server.getsockname())
print(\"inside\")
try: socket.create_connection((\"127.0.0.1\", {port}))
except ConnectionRefusedError: print(\"refused\")'"
    );
    cage.check(Mode::Agent, &script, Exit::Code(0), "inside\nrefused\n").await;
}

#[tokio::test]
async fn a_detached_child_ends_with_the_command() {
    let cage = Cage::new();
    let mark = format!("survivor-{}", std::process::id());
    let script = format!("setsid bash -c 'trap \"\" TERM HUP; while :; do sleep 1; done; : {mark}' & echo done");
    cage.check(Mode::Agent, &script, Exit::Code(0), "done\n").await;
    assert_eq!(marked(&mark), 0);
}

#[tokio::test]
async fn cancel_ends_everything_before_it_returns() {
    let cage = Cage::new();
    let mark = format!("cancelled-{}", std::process::id());
    let script = format!("trap '' TERM; setsid bash -c 'echo up; while :; do sleep 1; done; : {mark}'");
    let (finished, said) = cage.run(Mode::Agent, &script, Some("up")).await;
    assert_eq!((finished.stopped, finished.status), (Some(Stopped::Cancelled), Exit::Signal(9)));
    assert_eq!((said.as_str(), marked(&mark)), ("up\n", 0));
}

#[tokio::test]
async fn the_time_limit_ends_a_command_and_keeps_what_it_said() {
    let mut cage = Cage::new();
    cage.time_limit = Some(Duration::from_millis(300));
    let (finished, said) = cage.run(Mode::ReadOnly, "echo begun; while :; do :; done", None).await;
    assert_eq!((finished.stopped, said.as_str()), (Some(Stopped::TimeLimit), "begun\n"));
}

#[tokio::test]
async fn the_time_limit_stands_still_while_somebody_is_asked() {
    let mut cage = Cage::new();
    cage.time_limit = Some(Duration::from_millis(1));
    let run = cage.scratch_run();
    let spec = cage.spec(Mode::ReadOnly, &["bash", "-c", "echo asked"], vec![cage.layer(&run)]);
    let (sender, paused) = watch::channel(true);
    let mut said = Vec::new();
    let mut take = |chunk: &[u8]| said.extend_from_slice(chunk);
    let attendance = Attendance { paused: Some(paused), ..Attendance::new(&CancellationToken::new(), &mut take) };
    let finished = cage.sandbox.run(&spec, attendance).await.expect("it runs");
    assert_eq!((finished.stopped, finished.status), (None, Exit::Code(0)));
    assert_eq!(said, b"asked\n");
    drop(sender);
}

#[tokio::test]
async fn much_output_passes_through_whole() {
    let cage = Cage::new();
    let spec = cage.spec(Mode::ReadOnly, &["head", "-c", "50000000", "/dev/zero"], vec![]);
    let (mut total, mut largest) = (0, 0);
    let mut on_output = |chunk: &[u8]| {
        total += chunk.len();
        largest = largest.max(chunk.len());
    };
    let attendance = Attendance::new(&CancellationToken::new(), &mut on_output);
    cage.sandbox.run(&spec, attendance).await.expect("it runs");
    assert_eq!(total, 50_000_000);
    assert!(largest <= 64 << 10, "{largest}");
}

#[tokio::test]
async fn the_listener_of_the_inside_is_served_from_outside() {
    let cage = Cage::new();
    let script = r#"python3 -c '
import os, socket
host, port = os.environ["https_proxy"].removeprefix("http://").split(":")
with socket.create_connection((host, int(port))) as proxy:
    proxy.sendall(b"CONNECT example.org:443\n")
    print(proxy.makefile().readline().strip(), os.environ["NO_PROXY"])'"#;
    let mut spec = cage.spec(Mode::Agent, &["bash", "-c", script], vec![]);
    spec.proxy = true;
    let mut said = Vec::new();
    let mut take = |chunk: &[u8]| said.extend_from_slice(chunk);
    let (sender, served) = std::sync::mpsc::channel();
    let serve = move |listener: std::net::TcpListener| {
        let handle = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            let mut asked = [0; 24];
            connection.read_exact(&mut asked).expect("a question");
            connection.write_all(b"403 nobody granted that\n").expect("an answer");
            asked
        });
        sender.send(handle).expect("the test waits");
    };
    let attendance =
        Attendance { on_listener: Some(Box::new(serve)), ..Attendance::new(&CancellationToken::new(), &mut take) };
    let finished = cage.sandbox.run(&spec, attendance).await.expect("it runs");
    assert_eq!(String::from_utf8_lossy(&said), "403 nobody granted that localhost,127.0.0.1,::1\n");
    assert_eq!(finished.status, Exit::Code(0));
    assert_eq!(&served.recv().expect("served").join().expect("served"), b"CONNECT example.org:443\n");
}

#[tokio::test]
async fn a_listener_that_nobody_takes_is_no_trouble() {
    let cage = Cage::new();
    let mut spec = cage.spec(Mode::Agent, &["bash", "-c", "echo > /dev/tcp/127.0.0.1/61128 && exit 5"], vec![]);
    spec.proxy = true;
    let finished = cage.sandbox.run(&spec, Attendance::new(&CancellationToken::new(), &mut |_| {})).await;
    assert!(matches!(finished.expect("it runs").status, Exit::Code(1 | 5)));
    let finished = cage.sandbox.run_attached(&spec).expect("it runs");
    assert!(matches!(finished.status, Exit::Code(1 | 5)));
    // What cannot be started says why, and not that there was no listener.
    let missing = AbsPath::new(cage.folder.path().join("missing")).expect("absolute");
    (spec.workspace, spec.cwd) = (missing.clone(), missing);
    let run = cage.sandbox.run(&spec, Attendance::new(&CancellationToken::new(), &mut |_| {})).await;
    assert!(matches!(run, Err(SandboxError::Refused { .. })), "{run:?}");
}

#[tokio::test]
async fn a_helper_that_is_replaced_later_changes_nothing() {
    let mut cage = Cage::new();
    let copy = cage.folder.path().join("helper");
    std::fs::copy(pilotfish_tests::bins::pilotfish_sandbox(), &copy).expect("copied");
    cage.sandbox = Sandbox::open(&copy).expect("opened");
    std::fs::remove_file(&copy).expect("removed");
    std::fs::write(&copy, "#!/bin/sh\necho replaced\n").expect("replaced");
    cage.check(Mode::Agent, "echo original", Exit::Code(0), "original\n").await;
}

#[tokio::test]
async fn what_cannot_be_confined_is_not_run() {
    let cage = Cage::new();
    let mut spec = cage.spec(Mode::Agent, &["true"], vec![]);
    let missing = AbsPath::new(cage.folder.path().join("missing")).expect("absolute");
    (spec.workspace, spec.cwd) = (missing.clone(), missing);
    let run = cage.sandbox.run(&spec, Attendance::new(&CancellationToken::new(), &mut |_| {})).await;
    assert!(matches!(run, Err(SandboxError::Refused { .. })), "{run:?}");
}
