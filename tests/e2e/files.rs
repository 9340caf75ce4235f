//! Files of a folder are found over the wire.

use pilotfish_protocol::{ErrorKind, FileMatch, FileMatches};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::daemon::TestDaemon;
use serde_json::json;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

async fn search(client: &mut TestClient, root: &Path, query: &str, limit: u32) -> Vec<FileMatch> {
    let params = json!({"workspace": root, "query": query, "limit": limit});
    client.request::<FileMatches>("file/search", params).await.expect("found").files
}

fn paths(found: &[FileMatch]) -> Vec<&str> {
    found.iter().map(|found| found.path.as_str()).collect()
}

#[tokio::test]
async fn files_of_any_folder_are_found() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let root = folder.path().canonicalize().expect("exists");
    std::fs::create_dir_all(root.join("src/main")).expect("created");
    for name in ["src/main/view.rs", "src/main.rs", "lost.o", ".hidden"] {
        std::fs::write(root.join(name), "").expect("written");
    }
    std::fs::write(root.join(OsStr::from_bytes(b"odd\xff")), "").expect("written");
    std::fs::write(root.join(".gitignore"), "*.o\n").expect("written");
    let found = search(&mut client, &root, "main", 10).await;
    assert_eq!(paths(&found), ["src/main.rs", "src/main/view.rs"]);
    assert_eq!(search(&mut client, &root, "main", 1).await.len(), 1);
    assert_eq!(search(&mut client, &root, "lost", 10).await, []);
    assert_eq!(search(&mut client, &root, "", 100).await.len(), 5);
    let odd = search(&mut client, &root, "odd", 10).await;
    assert_eq!(odd, [FileMatch { uri: format!("file://{}/odd%FF", root.display()), path: "odd\u{fffd}".to_owned() }]);
    // What comes later is found, without anybody's asking for it.
    std::fs::create_dir(root.join("later")).expect("created");
    std::fs::write(root.join("later/mainly"), "").expect("written");
    let follows = async {
        while search(&mut client, &root, "mainly", 10).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), follows).await.expect("it is seen");
}

#[tokio::test]
async fn what_is_no_folder_is_refused() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = file.path().display().to_string();
    for (workspace, words) in
        [("relative", "not an absolute path"), ("/does/not/exist", "/does/not/exist"), (&file, "is not a folder")]
    {
        let params = json!({"workspace": workspace, "query": "", "limit": 1});
        let failure = client.request::<FileMatches>("file/search", params).await.expect_err("refused");
        let kind = failure.data.expect("an error of ours has data").kind;
        assert_eq!((kind, failure.message.contains(words)), (ErrorKind::InvalidParams, true), "{}", failure.message);
    }
}
