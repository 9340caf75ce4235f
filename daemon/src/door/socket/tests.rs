use super::*;
use crate::testing::Fixture;
use std::os::unix::fs::symlink;
use std::sync::Arc;

/// Longer than anything but a hang takes.
const LONG: Duration = Duration::from_secs(3600);

fn home(folder: &Path, runtime: PathBuf) -> Home {
    Home { config: folder.join("config"), state: folder.join("state"), runtime }
}

#[test]
fn each_state_directory_has_a_socket_of_its_own_and_its_name_fits() {
    let (one, two) = (Path::new("/one"), Path::new("/two"));
    assert_ne!(address(&home(one, "/run".into())), address(&home(two, "/run".into())));
    let long = address(&home(one, Path::new("/").join("x".repeat(100))));
    assert_eq!(long.parent(), Some(&*Home::temporary_runtime()));
    assert!(long.as_os_str().len() <= MAX_PATH);
}

#[test]
fn a_folder_that_others_can_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
    let link = folder.path().join("link");
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), &link).unwrap();
    for (runtime, why) in [(open, "others may look into it"), (link, "it is no directory")] {
        let error = private_folder(&runtime.join("x.sock")).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_dead_socket_is_replaced_and_rights_are_ours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path(), folder.path().join("run"));
    private_folder(&address(&home)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(address(&home)).unwrap());
    let socket = Socket::bind(&home).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(socket.path()), 0o600);
    assert_eq!(mode(socket.path().parent().unwrap()), 0o700);
    assert_eq!(mode(&home.state.join("daemon.lock")), 0o600);
    UnixStream::connect(socket.path()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_state_directory_has_one_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path(), folder.path().join("run"));
    let first = Socket::bind(&home).await.unwrap();
    let error = Socket::bind(&home).await.unwrap_err();
    assert!(matches!(error, SocketError::Taken { .. }), "{error}");
    drop(first);
    Socket::bind(&home).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_does_not_hold_up_the_end() {
    let fixture = Fixture::new(&[]);
    let home = home(fixture.directory.path(), fixture.directory.path().join("run"));
    let socket = Socket::bind(&home).await.unwrap();
    let _silent = UnixStream::connect(socket.path()).await.unwrap();
    let running = tokio::spawn(socket.run(fixture.hub.clone(), LONG));
    tokio::task::yield_now().await;
    let begin = Instant::now();
    fixture.hub.stop(Stop::Now);
    assert_eq!(running.await.unwrap().unwrap(), Why::Told);
    assert!(begin.elapsed() < HELLO_LIMIT, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn who_says_goodbye_and_does_not_read_is_let_go() {
    let fixture = Fixture::new(&[]);
    let home = home(fixture.directory.path(), fixture.directory.path().join("run"));
    let socket = Socket::bind(&home).await.unwrap();
    let mut client = UnixStream::connect(socket.path()).await.unwrap();
    let running = tokio::spawn(socket.run(fixture.hub.clone(), Duration::ZERO));
    client.write_all(&hello::line(&Hello::new(Door::Lsp, String::new(), &Arc::default(), &[]))).await.unwrap();
    let frame = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let call = |method: &str| frame(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{}}}}"#));
    client.write_all(call("initialize").as_bytes()).await.unwrap();
    // More answers than the socket holds, and fewer than stop the daemon's reading.
    let many = call("no/such").repeat(10_000);
    client.write_all(many.as_bytes()).await.unwrap();
    client.write_all(call("shutdown").as_bytes()).await.unwrap();
    client.write_all(frame(r#"{"jsonrpc":"2.0","method":"exit"}"#).as_bytes()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), running).await.expect("the daemon ends");
    assert_eq!(ended.unwrap().unwrap(), Why::Unused);
}
