//! What a client without a plugin works with: its folders, the changes in them that wait, its sessions, and what is to be told of all
//! that. Pure. What is told of a file is always the latest, and only once.

use super::ability::Folder;
use super::commands::Which;
use super::view::{Inquired, Telling, View};
use super::{actions, commands};
use crate::path::{AbsPath, RootedPath};
use crate::session::SessionHandle;
use crate::workspace::Reviewed;
use pilotfish_protocol::{Approval, ApprovalId, Hunk, ItemId, PromptTaken, SessionId, SessionUpdate, TurnId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Tellings that wait for a client that does not read. The oldest go first: by then they are no news.
const MAX_TELLINGS: usize = 512;

/// A client's desk.
#[derive(Debug, Default)]
pub(super) struct Desk {
    folders: Vec<Folder>,
    /// By file, and by the root of the workspace that says so.
    waiting: BTreeMap<AbsPath, BTreeMap<AbsPath, Arc<[Hunk]>>>,
    /// Files whose hints are not told yet.
    stale: BTreeSet<AbsPath>,
    /// All files are to be listed anew.
    relist: bool,
    /// The one that was used last is the last.
    views: Vec<View>,
    tellings: VecDeque<Telling>,
}

impl Desk {
    /// The folders a client said it works in.
    pub(super) fn work_in(&mut self, folders: Vec<Folder>) {
        self.folders = folders;
        self.relist = true;
    }

    /// The folders, without links.
    pub(super) fn folders(&self) -> Vec<AbsPath> {
        self.folders.iter().map(|folder| folder.real.clone()).collect()
    }

    /// The folder that a file is worked on in: the innermost that holds it, else the first. None when the client has none.
    pub(super) fn folder_for(&self, file: Option<&AbsPath>) -> Option<AbsPath> {
        let holding = self.folders.iter().filter(|folder| file.is_some_and(|file| holds(&folder.real, file)));
        let innermost = holding.max_by_key(|folder| folder.real.as_path().components().count());
        innermost.or(self.folders.first()).map(|folder| folder.real.clone())
    }

    /// A client that has no folder works in this one from now on.
    pub(super) fn settle_in(&mut self, folder: &AbsPath) {
        if self.folders.is_empty() {
            self.work_in(vec![Folder { named: folder.clone(), real: folder.clone() }]);
        }
    }

    /// The latest word on a file.
    pub(super) fn reviewed(&mut self, reviewed: Reviewed) {
        let Reviewed { root, path, hunks, .. } = reviewed;
        let file = root.join(&path);
        if self.folders.iter().any(|folder| holds(&folder.real, &file)) {
            self.hold(file, root, hunks);
        }
    }

    /// All the hunks of a workspace.
    pub(super) fn listed(&mut self, root: &AbsPath, hunks: Vec<Hunk>) {
        let mut files: BTreeMap<AbsPath, Vec<Hunk>> = BTreeMap::new();
        for hunk in hunks {
            if let Ok(file) = AbsPath::from_uri(&hunk.uri) {
                files.entry(file).or_default().push(hunk);
            }
        }
        let over = self.waiting.iter().filter(|(file, roots)| roots.contains_key(root) && !files.contains_key(file));
        let over: Vec<AbsPath> = over.map(|(file, _)| file.clone()).collect();
        over.into_iter().for_each(|file| self.hold(file, root.clone(), Arc::default()));
        for (file, hunks) in files {
            if self.folders.iter().any(|folder| holds(&folder.real, &file)) {
                self.hold(file, root.clone(), hunks.into());
            }
        }
    }

    fn hold(&mut self, file: AbsPath, root: AbsPath, hunks: Arc<[Hunk]>) {
        let roots = self.waiting.entry(file.clone()).or_default();
        if hunks.is_empty() {
            // Nothing was ever told of a file that had none.
            if roots.remove(&root).is_none() {
                return;
            }
        } else {
            roots.insert(root, hunks);
        }
        self.stale.insert(file);
    }

    /// Words on files were lost.
    pub(super) fn look_again(&mut self) {
        self.relist = true;
    }

    /// Whether all files are to be listed anew. Says so once.
    pub(super) fn take_relist(&mut self) -> bool {
        std::mem::take(&mut self.relist)
    }

    /// The next file whose hints are to be told: under the client's own name, and its changes.
    pub(super) fn next_stale(&mut self) -> Option<(AbsPath, Vec<Hunk>)> {
        let file = self.stale.pop_first()?;
        let hunks = self.hunks(&file);
        if hunks.is_empty() {
            self.waiting.remove(&file);
        }
        Some((self.named(&file), hunks))
    }

    /// The changes of a file that wait, in the order of its text.
    pub(super) fn hunks(&self, file: &AbsPath) -> Vec<Hunk> {
        let roots = self.waiting.get(file).into_iter().flat_map(BTreeMap::values);
        roots.flat_map(|hunks| hunks.iter().cloned()).collect()
    }

    /// The changes that are meant, each with the root of its workspace. Those that are named and not known are given back as none.
    pub(super) fn chosen(&self, which: &Which, file: Option<&AbsPath>) -> Vec<(AbsPath, Hunk)> {
        let of = |file: &AbsPath| -> Vec<(AbsPath, Hunk)> {
            let roots = self.waiting.get(file).into_iter().flatten();
            roots.flat_map(|(root, hunks)| hunks.iter().map(|hunk| (root.clone(), hunk.clone()))).collect()
        };
        match (which, file) {
            (Which::Hunks(ids), _) => {
                let all = self.waiting.keys().flat_map(of);
                all.filter(|(_, hunk)| ids.contains(&hunk.id)).collect()
            }
            (Which::At(_, range), Some(file)) => {
                let here: Vec<_> = actions::at(&self.hunks(file), *range).map(|hunk| hunk.id.clone()).collect();
                of(file).into_iter().filter(|(_, hunk)| here.contains(&hunk.id)).collect()
            }
            (Which::File(_), Some(file)) => of(file),
            (Which::At(..) | Which::File(_), None) => Vec::new(),
        }
    }

    /// The session that works on a file, or was used last. One that was closed meanwhile is forgotten.
    pub(super) fn view(&mut self, file: Option<&AbsPath>) -> Option<&mut View> {
        self.views.retain(|view| !view.handle.is_gone());
        let at = match file {
            Some(file) => {
                let folder = self.folder_for(Some(file));
                let works = |view: &View| folder.as_ref() == Some(&view.workspace) || holds(&view.workspace, file);
                self.views.iter().rposition(works)?
            }
            None => self.views.len().checked_sub(1)?,
        };
        self.views.get_mut(at)
    }

    /// A session of this client, by its name.
    pub(super) fn view_of(&mut self, id: &SessionId) -> Option<&mut View> {
        self.views.iter_mut().find(|view| view.id == *id)
    }

    /// A session is attached to. Its view takes the place of an older one.
    pub(super) fn open(&mut self, view: View, tellings: Vec<Telling>) {
        self.views.retain(|older| older.id != view.id);
        self.views.push(view);
        self.tell(tellings);
    }

    /// A session cannot be followed any more.
    pub(super) fn leave(&mut self, id: &SessionId) {
        self.views.retain(|view| view.id != *id);
    }

    /// Folds an update.
    pub(super) fn take(&mut self, update: &SessionUpdate) {
        let tellings = self.view_of(&update.session_id).map(|view| view.take(update));
        self.tell(tellings.unwrap_or_default());
    }

    /// A prompt was taken.
    pub(super) fn asked(&mut self, id: &SessionId, taken: PromptTaken) {
        let tellings = self.view_of(id).map(|view| view.asked(taken));
        self.tell(tellings.unwrap_or_default());
    }

    /// A question that waits: by its name, or the only one there is.
    pub(super) fn approval(&self, id: Option<&ApprovalId>) -> Option<Approval> {
        let mut open = self.views.iter().flat_map(|view| &view.approvals);
        match id {
            Some(id) => open.find(|approval| approval.id == *id).cloned(),
            None => open.next().filter(|_| open.next().is_none()).cloned(),
        }
    }

    /// What the model asks: by its item, or the only question there is.
    pub(super) fn inquired(&self, id: Option<&ItemId>) -> Option<Inquired> {
        let mut open = self.views.iter().flat_map(|view| &view.inquiries);
        match id {
            Some(id) => open.find(|inquired| inquired.item == *id).cloned(),
            None => open.next().filter(|_| open.next().is_none()).cloned(),
        }
    }

    /// The session that a turn runs in.
    pub(super) fn running(&self, turn: &TurnId) -> Option<SessionHandle> {
        self.views.iter().find(|view| view.runs(turn)).map(|view| view.handle.clone())
    }

    /// Holds what is to be told.
    pub(super) fn tell(&mut self, tellings: Vec<Telling>) {
        for telling in tellings {
            // What a turn did a moment ago is no news when it does something else.
            if let (Telling::Working(turn, _), Some(Telling::Working(last, _))) = (&telling, self.tellings.back())
                && turn == last
            {
                self.tellings.pop_back();
            }
            self.tellings.push_back(telling);
        }
        let surplus = self.tellings.len().saturating_sub(MAX_TELLINGS);
        self.tellings.drain(..surplus);
    }

    /// What is to be told next.
    pub(super) fn next_telling(&mut self) -> Option<Telling> {
        self.tellings.pop_front()
    }

    /// A file under the name that the client has for it.
    fn named(&self, file: &AbsPath) -> AbsPath {
        let under = self.folders.iter().find_map(|folder| {
            let path = RootedPath::below(&folder.real, file)?;
            Some(folder.named.join(&path))
        });
        under.unwrap_or_else(|| file.clone())
    }
}

fn holds(folder: &AbsPath, file: &AbsPath) -> bool {
    file.as_path().starts_with(folder.as_path())
}

/// The lines of a selection that is a comment, as a question: without the marks, and none for code.
pub(super) fn comment(text: &str, range: tower_lsp::ls_types::Range) -> Option<String> {
    let (first, last) = commands::lines(range);
    let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
    let mut words = Vec::new();
    for line in text.lines().skip(first).take(last - first + 1) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let mark = MARKS.iter().find(|mark| line.starts_with(**mark))?;
        let line = line.strip_prefix(mark).unwrap_or(line).trim_end_matches("*/").trim_end_matches("-->");
        words.push(line.trim_start_matches(['/', '!', '*', '#', '-', ';']).trim().to_owned());
    }
    let words = words.join(" ").trim().to_owned();
    // One word or a ruler is no question.
    words.contains(' ').then_some(words)
}

/// How comments begin, the longer marks first.
const MARKS: &[&str] = &["//", "/*", "<!--", "--", "#", ";", "%", "*"];

#[cfg(test)]
mod tests;
