//! What a turn can learn of the workspace beside its tools: what is said to agents there, and what editors report.

use super::TurnCx;
use crate::config::ConfigError;
use crate::config::trust::{self, Saying};
use crate::documents::{Diagnostics, Saved, Versions};
use crate::path::{AbsPath, RootedPath};
use futures::future::join_all;
use pilotfish_protocol::{Diagnostic, Hunk, InputPart, Range, Trust};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest text that is read of a file that speaks to agents, in bytes.
const SPOKEN: u64 = 256 << 10;

/// Files that calls named. Each file is in it once, however often it was named.
#[derive(Debug, Default)]
pub struct Named(Mutex<BTreeSet<RootedPath>>);

impl Named {
    /// A call names a file.
    pub fn add(&self, path: &RootedPath) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
    }

    /// Those that were named since this was last asked.
    #[must_use]
    pub fn take(&self) -> BTreeSet<RootedPath> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A file that speaks to agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaking {
    /// What it is called, for people.
    pub title: String,
    /// Its `file:` URI.
    pub uri: String,
    /// What it says, if it is there.
    pub text: Option<String>,
    /// Why that is not given to the model; absent when it is.
    pub withheld: Option<String>,
}

/// What editors showed at a moment.
#[derive(Debug)]
pub struct Shown {
    moment: u64,
    watched: Versions,
    diagnostics: Diagnostics,
}

/// The problems of files, by their path from the root.
pub type Problems = BTreeMap<String, Vec<Diagnostic>>;

impl TurnCx {
    /// What the person says to all agents, and then what these files say. Files that are not there say nothing.
    pub async fn speaking(&self, paths: impl IntoIterator<Item = RootedPath>) -> Vec<Speaking> {
        let file = AbsPath::new(self.home.instructions_file()).ok();
        let own = tokio::task::spawn_blocking(move || {
            file.map(|file| Speaking {
                title: file.to_string(),
                uri: file.to_uri(),
                text: std::fs::read_to_string(file.as_path()).ok(),
                withheld: None,
            })
        });
        let texts = join_all(paths.into_iter().map(|path| self.spoken(path)));
        let (own, texts) = tokio::join!(own, texts);
        let mut speaking: Vec<Speaking> = own.ok().flatten().into_iter().collect();
        let saying = match texts.iter().any(|(_, text)| text.is_some()) {
            true => {
                let (home, root) = (self.home.clone(), self.workspace.root().clone());
                tokio::task::spawn_blocking(move || trust::of(&home, &root)).await.ok()
            }
            // Most folders say nothing, and every prompt comes by here.
            false => None,
        };
        speaking.extend(texts.into_iter().map(|(path, text)| {
            let title = path.to_string();
            let withheld = text.as_deref().and_then(|text| withheld(saying.as_ref(), &title, text));
            Speaking { uri: self.workspace.root().join(&path).to_uri(), title, text, withheld }
        }));
        speaking
    }

    /// What a file says, from the disk, as it was trusted: what is unsaved or proposed counts for nothing here.
    async fn spoken(&self, path: RootedPath) -> (RootedPath, Option<String>) {
        let read = self.workspace.read_saved(&path, SPOKEN).await.ok();
        let text = read.filter(|file| !file.is_cut()).and_then(|file| String::from_utf8(file.bytes).ok());
        (path, text)
    }

    /// What editors show now, to be held against what they show after an edit.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let (documents, root) = (self.workspace.documents(), self.workspace.root());
        let (moment, watched) = (documents.moment(), documents.watched(root));
        Shown { moment, watched, diagnostics: documents.diagnostics(root) }
    }

    /// The problems before and now, once editors have looked at what changed since, or so long has passed, or the turn is to end.
    pub async fn problems_since(&self, before: Shown, limit: Duration) -> (Problems, Problems) {
        let (documents, root) = (self.workspace.documents(), self.workspace.root());
        let mut changed = documents.watched(root);
        changed.retain(|path, versions| before.watched.get(path) != Some(versions));
        if !changed.is_empty() {
            tokio::select! {
                () = documents.reported(&changed, before.moment, limit) => {}
                () = self.cancel.cancelled() => {}
            }
        }
        (self.by_path(&before.diagnostics), self.problems())
    }

    /// The problems that editors show.
    #[must_use]
    pub fn problems(&self) -> Problems {
        self.by_path(&self.workspace.documents().diagnostics(self.workspace.root()))
    }

    fn by_path(&self, diagnostics: &Diagnostics) -> Problems {
        let named = diagnostics.iter().filter_map(|(file, list)| {
            Some((RootedPath::below(self.workspace.root(), file)?.to_string(), list.to_vec()))
        });
        named.collect()
    }

    /// The changes that wait for the person, with the paths of their files.
    pub async fn waiting(&self) -> Vec<(String, Hunk)> {
        let hunks = self.workspace.hunks(None, None).await.unwrap_or_default();
        let path = |hunk: &Hunk| self.path_of(&hunk.uri).map_or_else(|| hunk.uri.clone(), |path| path.to_string());
        hunks.into_iter().map(|hunk| (path(&hunk), hunk)).collect()
    }

    /// The file that the person looked at last, with what is selected and what is on the screen.
    #[must_use]
    pub fn looking(&self) -> Option<(String, Option<Range>, Option<Range>)> {
        let root = self.workspace.root();
        let looking = self.workspace.documents().looking(root)?;
        Some((RootedPath::below(root, &looking.path)?.to_string(), looking.selection, looking.visible))
    }

    /// The files that editors have open, and whether they have unsaved changes.
    #[must_use]
    pub fn open_files(&self) -> Vec<(String, bool)> {
        let (documents, root) = (self.workspace.documents(), self.workspace.root());
        let open = documents.below(root).into_iter().filter_map(|file| {
            let unsaved = documents.buffers(&file).iter().any(|buffer| buffer.saved == Saved::No);
            Some((RootedPath::below(root, &file)?.to_string(), unsaved))
        });
        let mut open: Vec<(String, bool)> = open.collect();
        open.sort();
        open
    }

    /// What is selected where the person looked last.
    #[must_use]
    pub fn selection(&self) -> Option<InputPart> {
        let looking = self.workspace.documents().looking(self.workspace.root())?;
        let range = looking.selection.filter(|range| range.start != range.end)?;
        Some(InputPart::Selection { uri: looking.path.to_uri(), range })
    }

    /// Where below the root a file with this URI lies.
    #[must_use]
    pub fn path_of(&self, uri: &str) -> Option<RootedPath> {
        let (file, root) = (AbsPath::from_uri(uri).ok()?, self.workspace.root());
        RootedPath::below(root, &file).or_else(|| RootedPath::below(root, &file.real()))
    }

    /// A text of the workspace as the session sees it, at most so many bytes of it, with its URI.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub async fn text_of(&self, path: &RootedPath, max: u64) -> Result<(String, String), String> {
        let file = self.workspace.read(path, max, Some(&self.session)).await.map_err(|error| error.to_string())?;
        if file.bytes.contains(&0) {
            return Err(format!("{path} is a binary file of {} bytes", file.size));
        }
        Ok((String::from_utf8_lossy(&file.bytes).into_owned(), self.workspace.root().join(path).to_uri()))
    }
}

/// Why what a file says is not given to the model; nothing where it is.
fn withheld(saying: Option<&Result<Saying, ConfigError>>, title: &str, text: &str) -> Option<String> {
    match saying {
        Some(Ok(saying)) if saying.counts(title, text) => None,
        Some(Ok(saying)) if saying.trust == Trust::Trusted => Some(format!(
            "{title} is not as it was when this folder was trusted, and is not given to the model; `pilotfish trust` shows what \
             changed"
        )),
        Some(Ok(_)) => Some(format!(
            "{title} speaks to agents and is not given to the model: nobody said that this folder is trusted; `pilotfish trust` \
             says so"
        )),
        Some(Err(error)) => Some(format!("{title} is not given to the model: {error}")),
        None => Some(format!("{title} is not given to the model: whether this folder is trusted could not be read")),
    }
}
