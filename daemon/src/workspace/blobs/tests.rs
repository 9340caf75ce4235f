use super::*;
use std::os::unix::fs::PermissionsExt;

struct Fixture {
    directory: tempfile::TempDir,
    blobs: Blobs,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::open(directory.path());
        Self { directory, blobs }
    }

    fn file(&self, bytes: &[u8]) -> File {
        let path = self.directory.path().join("file");
        std::fs::write(&path, bytes).expect("written");
        File::open(path).expect("opened")
    }

    /// Everything in the store, with its mode.
    fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in entries(&self.directory.path().join("blobs")).expect("readable") {
            let folder = folder.expect("readable").path();
            for path in entries(&folder).expect("readable").map(|entry| entry.expect("readable").path()).chain([folder])
            {
                let mode = path.metadata().expect("there").permissions().mode() & 0o777;
                found.push(format!("{mode:o} {}", path.is_dir()));
            }
        }
        found.sort();
        found
    }
}

#[test]
fn equal_bytes_are_kept_once_and_for_their_owner_only() {
    let fixture = Fixture::new();
    let mut intake = fixture.blobs.intake();
    let large = vec![7; 3 << 20];
    let one = intake.put(b"text").expect("kept");
    let kept = intake.put_file(&fixture.file(&large)).expect("kept").expect("not too large");
    assert_eq!(intake.put_file(&fixture.file(b"text")).expect("kept"), Some((one, 4)));
    assert_eq!(intake.put(&large).expect("kept"), kept.0);
    assert_eq!(kept.1, 3 << 20);
    assert_eq!(fixture.listing(), ["600 false", "600 false", "700 true", "700 true"]);
    assert_eq!(fixture.blobs.bytes(), (3 << 20) + BLOCK);
    assert_eq!(fixture.blobs.get(&one).expect("kept"), b"text");
    assert_eq!(hash_file(&fixture.file(&large)).expect("read"), Some(kept.0));
}

#[test]
fn too_large_a_file_is_not_kept() {
    let fixture = Fixture::new();
    let file = File::create(fixture.directory.path().join("sparse")).expect("created");
    file.set_len(MAX_FILE + 1).expect("set");
    let file = File::open(fixture.directory.path().join("sparse")).expect("opened");
    assert_eq!(fixture.blobs.intake().put_file(&file).expect("read"), None);
    assert_eq!(hash_file(&file).expect("read"), None);
    assert_eq!(fixture.listing(), [""; 0]);
}

#[test]
fn a_damaged_blob_is_not_given_out_and_is_put_anew() {
    let fixture = Fixture::new();
    let hash = fixture.blobs.intake().put(b"text").expect("kept");
    std::fs::write(fixture.blobs.path(&hash), "tex").expect("written");
    assert_eq!(fixture.blobs.get(&hash).expect_err("damaged").to_string(), "the kept bytes are damaged");
    fixture.blobs.intake().put(b"text").expect("kept");
    assert_eq!(fixture.blobs.get(&hash).expect("kept"), b"text");
}

#[test]
fn what_is_needed_held_or_new_is_not_collected() {
    let fixture = Fixture::new();
    let left_over = fixture.directory.path().join("blobs/new-1-1");
    let (needed, unneeded) = {
        let mut intake = fixture.blobs.intake();
        (intake.put(b"needed").expect("kept"), intake.put(b"unneeded").expect("kept"))
    };
    std::fs::write(&left_over, "half").expect("written");
    let mut holding = fixture.blobs.intake();
    let held = holding.put(b"held").expect("kept");
    let sweep = fixture.blobs.sweep().expect("none runs");
    assert!(fixture.blobs.sweep().is_none(), "one at a time");
    let new = fixture.blobs.intake().put(b"put and recorded while needs were read").expect("kept");
    assert_eq!(sweep.remove(&HashSet::from([needed])).expect("swept"), 1);
    let there = [needed, unneeded, held, new].map(|hash| fixture.blobs.has(&hash));
    assert_eq!((there, left_over.exists()), ([true, false, true, true], false));
    assert_eq!(fixture.blobs.bytes(), 3 * BLOCK);
    drop(holding);
    let sweep = fixture.blobs.sweep().expect("none runs");
    assert_eq!(sweep.remove(&HashSet::new()).expect("swept"), 3);
}
