use super::*;
use std::os::unix::fs::symlink;

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
