//! A workspace, a home folder, something outside of both, and a sandbox to run scripts in.

use pilotfish::path::AbsPath;
use pilotfish::sandbox::scratch::Run;
use pilotfish::sandbox::{Attendance, Confinement, Exit, Finished, Layer, Sandbox, Scratch, Spec};
use pilotfish_protocol::Mode;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct Cage {
    pub sandbox: Sandbox,
    pub scratch: Scratch,
    pub folder: tempfile::TempDir,
    pub env: Vec<(String, String)>,
    pub time_limit: Option<Duration>,
    name: &'static str,
}

impl Cage {
    /// Below the temporary folder, which the inside has another of.
    pub fn new() -> Self {
        Self::in_folder(&std::env::temp_dir(), "work")
    }

    /// With a workspace of some name, below some folder.
    pub fn in_folder(root: &Path, name: &'static str) -> Self {
        let cage = Self::build(root, name);
        assert_eq!(cage.sandbox.check(), Confinement::Confined);
        cage
    }

    /// Where not all of the machine's help is to be had.
    pub fn unchecked() -> Self {
        Self::build(&std::env::temp_dir(), "work")
    }

    fn build(root: &Path, name: &'static str) -> Self {
        let sandbox = Sandbox::open(&pilotfish_tests::bins::pilotfish_sandbox()).expect("the helper is built");
        let folder = tempfile::tempdir_in(root).expect("a folder");
        for name in [name, "home", "state", "outside"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in it");
        }
        fs::write(folder.path().join("outside/canary"), "canary\n").expect("written");
        fs::write(folder.path().join("home/.bashrc"), "bashrc\n").expect("written");
        let scratch = Scratch::open(&folder.path().join("state")).expect("a place");
        let home = folder.path().join("home").display().to_string();
        let env = vec![("HOME".to_owned(), home), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Self { sandbox, scratch, folder, env, time_limit: None, name }
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join(self.name).canonicalize().expect("the workspace")
    }

    pub fn outside(&self) -> PathBuf {
        self.folder.path().join("outside").canonicalize().expect("the outside")
    }

    /// Makes a file of the workspace, and the folders above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    pub fn scratch_run(&self) -> Run {
        self.scratch.run().expect("a run")
    }

    /// Waits until what runs left is removed or put in order.
    pub fn settle(&mut self) {
        // The last holder of the old one waits for it.
        self.scratch = Scratch::open(&self.folder.path().join("state")).expect("a place");
    }

    pub fn layer(&self, run: &Run) -> Layer {
        run.layer(0, &self.workspace()).expect("a layer")
    }

    pub fn spec(&self, mode: Mode, argv: &[&str], layers: Vec<Layer>) -> Spec {
        let workspace = AbsPath::new(self.workspace()).expect("absolute");
        Spec {
            mode,
            cwd: workspace.clone(),
            workspace,
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            env: self.env.clone(),
            time_limit: self.time_limit,
            layers,
            proxy: false,
            grants_paths: Vec::new(),
        }
    }

    /// Runs a script over a fresh overlay, and cancels it as soon as it has said `cancel_at`. What it changed is thrown away.
    pub async fn run(&self, mode: Mode, script: &str, cancel_at: Option<&str>) -> (Finished, String) {
        let run = self.scratch_run();
        self.run_spec(&self.spec(mode, &["bash", "-c", script], vec![self.layer(&run)]), cancel_at).await
    }

    pub async fn run_argv(&self, mode: Mode, argv: &[&str]) -> (Finished, String) {
        let run = self.scratch_run();
        self.run_spec(&self.spec(mode, argv, vec![self.layer(&run)]), None).await
    }

    pub async fn run_spec(&self, spec: &Spec, cancel_at: Option<&str>) -> (Finished, String) {
        let cancel = CancellationToken::new();
        let mut output = Vec::new();
        let mut on_output = |chunk: &[u8]| {
            output.extend_from_slice(chunk);
            if cancel_at.is_some_and(|word| String::from_utf8_lossy(&output).contains(word)) {
                cancel.cancel();
            }
        };
        let finished = self.sandbox.run(spec, Attendance::new(&cancel, &mut on_output)).await.expect("it runs");
        (finished, String::from_utf8_lossy(&output).into_owned())
    }

    pub async fn check(&self, mode: Mode, script: &str, status: Exit, output: &str) {
        let (finished, said) = self.run(mode, script, None).await;
        assert_eq!((finished.status, finished.stopped, said.as_str()), (status, None, output), "{script}");
    }

    /// Runs a script in both modes; in neither may anything of the workspace, the home folder or the outside change. Returns what it said.
    pub async fn holds(&self, script: &str) -> String {
        let before = picture(self.folder.path());
        let mut said = String::new();
        for mode in [Mode::ReadOnly, Mode::Agent] {
            let script = format!("echo started; exec 2>/dev/null; {script}");
            let (finished, output) = self.run(mode, &script, None).await;
            // A sandbox that starts nothing would hold everything.
            assert!(output.starts_with("started\n"), "{finished:?} {output}");
            assert_eq!(picture(self.folder.path()), before, "{mode}: {script}");
            said.push_str(&output.replace("started\n", ""));
        }
        said
    }
}

/// Everything below a folder: kind and mode, size and time, and what files and links hold. Our own records are left out.
pub fn picture(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut picture = BTreeMap::new();
    add(root, root, &mut picture);
    picture
}

fn add(root: &Path, folder: &Path, picture: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path == root.join("state") {
            continue;
        }
        let metadata = entry.metadata().expect("there");
        let kind = entry.file_type().expect("a kind");
        let content = if kind.is_symlink() {
            fs::read_link(&path).expect("a link").display().to_string()
        } else if kind.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned()
        } else {
            String::new()
        };
        let (mode, seconds, nanoseconds) = (metadata.mode(), metadata.mtime(), metadata.mtime_nsec());
        picture.insert(path.clone(), format!("{mode:o} {seconds}.{nanoseconds} {} {content}", metadata.ino()));
        if kind.is_dir() {
            add(root, &path, picture);
        }
    }
}

/// How many processes of this machine have `mark` in their command line.
pub fn marked(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("a process table").flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}
