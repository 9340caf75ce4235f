//! What becomes of a command's writes: they are published, what is protected is asked about first, and the model and the person are told.

use super::super::change;
use crate::cx::{Need, PROTECTED, Permission, TurnCx};
use crate::path::{AbsPath, RootedPath};
use crate::review::Author;
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Conflict, FileChange, Held, Kind, Publication, Published, Seeded, WITH_TEXT, Why};
use crate::workspace::{Cause, Change};
use pilotfish_protocol::{Edit, EditKind, EditState, Item, Mode};
use std::sync::Arc;

/// Names in one line for the model, at most.
const NAMED: usize = 12;

/// What is to be told of a command's writes.
#[derive(Debug, Default)]
pub(in crate::tool) struct Effects {
    /// Lines for the model.
    pub(in crate::tool) lines: Vec<String>,
    /// What changed, as editors show it.
    pub(in crate::tool) edits: Vec<Edit>,
    /// The turn was interrupted while the person was asked.
    pub(super) interrupted: bool,
}

/// Publishes what a command wrote, asking for what is protected. `early` is what of it showed already.
pub(super) async fn publish(
    cx: &TurnCx,
    item: &Item,
    command: &str,
    publication: Arc<Publication>,
    early: Early,
) -> Effects {
    let mut effects = Effects::default();
    if *cx.mode.borrow() == Mode::ReadOnly {
        // The person took the right to write away while it ran.
        let notes = cx.workspace.take_back(early).await;
        effects.lines.push(
            "not written: the mode is read-only since this was started; what it wrote was thrown away".to_owned(),
        );
        effects.lines.extend(notes);
        return effects;
    }
    let Some(published) = cx.workspace.publish(early, &cause(cx, item)).await else {
        effects.lines.push("not written: the workspace is closed".to_owned());
        return effects;
    };
    let mut published = published;
    let seeded = std::mem::take(&mut published.seeded);
    let held = effects.take(cx, item, published);
    effects.reap(cx, item, seeded).await;
    if !held.is_empty() {
        effects.ask(cx, item, command, publication, held).await;
    }
    effects
}

impl Effects {
    /// One line, and no change.
    pub(super) fn line(line: String) -> Self {
        Self { lines: vec![line], ..Self::default() }
    }

    /// Notes what was published; gives back what was not and waits for a person.
    fn take(&mut self, cx: &TurnCx, item: &Item, published: Published) -> Vec<Held> {
        // Seeded texts are taken before.
        let Published { changed, held, seeded: _, conflicts, counts, notes } = published;
        let listed = changed.len().min(WITH_TEXT);
        self.edits.extend(changed.into_iter().take(listed).map(|file| edit(cx, item, file, EditState::Applied)));
        let all = counts.created + counts.changed + counts.deleted;
        if all > listed as u64 {
            self.lines.push(format!("{all} files changed; the first {listed} of them are shown to the person"));
        }
        for Conflict { path, clash } in &conflicts {
            let path = shown(cx, path);
            self.lines.push(format!("not written: {path}: {clash}"));
        }
        self.lines.extend(notes);
        held
    }

    /// What the command made of texts that are unsaved or proposed becomes a change of these texts.
    async fn reap(&mut self, cx: &TurnCx, item: &Item, seeded: Vec<Seeded>) {
        for Seeded { path, before, after } in seeded {
            let name = shown(cx, &path);
            let Some(path) = RootedPath::below(cx.workspace.root(), &path) else { continue };
            let Some(bytes) = after.filter(|after| is_text(after)) else {
                self.lines.push(format!(
                    "not written: {name}: it is unsaved in an editor or only proposed, and what the command left there is no text"
                ));
                continue;
            };
            let change = Change::Replace { path, before: before.to_vec(), bytes };
            let described = change::describe(cx, super::super::call_id(item), &change, EditState::Applied);
            match cx.workspace.apply(vec![change], &cause(cx, item)).await {
                Ok(()) => {
                    self.lines
                        .push(format!("{name} is open and unsaved: it was changed in the editor, not on the disk"));
                    self.edits.push(described);
                }
                Err(error) => self.lines.push(format!("not written: {error}")),
            }
        }
    }

    async fn ask(&mut self, cx: &TurnCx, item: &Item, command: &str, publication: Arc<Publication>, held: Vec<Held>) {
        let (held, edits) = self.shown(cx, item, held).await;
        if held.is_empty() {
            return;
        }
        let names: Vec<String> = held.iter().map(|held| shown(cx, &held.path)).collect();
        let mut whys: Vec<&str> = held.iter().map(|held| held.why.why()).collect();
        whys.dedup();
        let need = Need {
            item: &item.id,
            command: None,
            grants: held.iter().zip(&names).map(|(held, name)| granted(held, name)).collect(),
            title: format!("let a command change {}", few(&names)),
            detail: command.to_owned(),
            cwd: cx.workspace.root().to_string(),
            reason: format!("the command wrote what is protected: {}", whys.join("; ")),
            edits,
        };
        let refused = match cx.permit(need).await {
            // The mode may be another one since; a yes to this change stands in agent mode alone.
            Ok(Permission::Granted { .. }) if *cx.mode.borrow() == Mode::ReadOnly => {
                "the mode is read-only now".to_owned()
            }
            Ok(Permission::Granted { by: _ }) => {
                if let Some(released) = cx.workspace.release(publication, held, &cause(cx, item)).await {
                    self.take(cx, item, released);
                    self.lines.push(format!("allowed by the person: {}", few(&names)));
                }
                return;
            }
            Ok(Permission::Denied { why }) => why,
            Err(error) => {
                self.interrupted = true;
                error.to_string()
            }
        };
        cx.workspace.refuse(held).await;
        self.lines.push(format!("held back and not written: {}: {refused}", few(&names)));
    }
}

impl Effects {
    /// What of it can be shown, and how. The rest is refused: a yes is to what somebody saw.
    async fn shown(&mut self, cx: &TurnCx, item: &Item, held: Vec<Held>) -> (Vec<Held>, Vec<Edit>) {
        let (mut shown, mut edits, mut unshown) = (Vec::new(), Vec::new(), Vec::new());
        for held in held {
            match held_edit(cx, item, &held).filter(|edit| says_all(edit, &held)) {
                Some(edit) => {
                    edits.push(edit);
                    shown.push(held);
                }
                None => unshown.push(held),
            }
        }
        if !unshown.is_empty() {
            let names: Vec<String> = unshown.iter().map(|held| self::shown(cx, &held.path)).collect();
            cx.workspace.refuse(unshown).await;
            let names = few(&names);
            self.lines.push(format!(
                "held back and not written: {names}: it is protected, and too large or no text, so that the person could not be shown it"
            ));
        }
        (shown, edits)
    }
}

/// Whose changes a command's are.
fn cause(cx: &TurnCx, item: &Item) -> Cause {
    change::cause(cx, item, Author::Command(cx.source()))
}

/// A path as people read it: from the workspace when it lies there.
fn shown(cx: &TurnCx, path: &AbsPath) -> String {
    path.as_path().strip_prefix(cx.workspace.root().as_path()).unwrap_or(path.as_path()).display().to_string()
}

/// What a yes is for. Of a link that leads out it is for where that leads.
fn granted(held: &Held, name: &str) -> String {
    match (&held.why, &held.after) {
        (Why::LeadsOut, Some(target)) => format!("{PROTECTED}{name} -> {}", String::from_utf8_lossy(target)),
        (Why::LeadsOut | Why::Protected(_), _) => format!("{PROTECTED}{name}"),
    }
}

fn few(names: &[String]) -> String {
    match names.get(..NAMED) {
        Some(first) if names.len() > NAMED => format!("{} and {} more", first.join(", "), names.len() - NAMED),
        Some(_) | None => names.join(", "),
    }
}

/// What would happen to it, wherever it lies.
fn held_edit(cx: &TurnCx, item: &Item, held: &Held) -> Option<Edit> {
    let root = cx.workspace.root();
    let inside = held.path.as_path().strip_prefix(root.as_path()).ok().and_then(|inside| inside.to_str());
    let rooted = inside.and_then(|inside| RootedPath::new(root, inside).ok());
    let is_inside = rooted.is_some();
    let (kind, after) = (held.kind, held.after.clone());
    // Instead of what was there and is no text, all of the new one is shown.
    let before = held.before.clone().map(|bytes| if is_text(&bytes) { bytes } else { Vec::new() });
    let before = if kind == Kind::Changed { Some(before.unwrap_or_default()) } else { before };
    // What lies elsewhere is described as if it were here, and then gets its own address.
    let path = rooted.or_else(|| RootedPath::new(root, "elsewhere").ok())?;
    let mut edit = edit(cx, item, FileChange { path, kind, before, after }, EditState::Proposed);
    if !is_inside {
        (edit.uri, edit.path) = (held.path.to_uri(), held.path.to_string());
        edit.hunks.iter_mut().for_each(|hunk| hunk.uri.clone_from(&edit.uri));
    }
    Some(edit)
}

/// Whether somebody who sees the edit sees what would be written.
fn says_all(edit: &Edit, held: &Held) -> bool {
    match held.kind {
        Kind::Deleted | Kind::Mode => true,
        Kind::Created | Kind::Changed => {
            !edit.hunks.is_empty() || held.is_empty_directory || held.after.as_ref().is_some_and(Vec::is_empty)
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
}

/// A change as editors show it; without hunks where it is no text, or too much of it.
fn edit(cx: &TurnCx, item: &Item, file: FileChange, state: EditState) -> Edit {
    let FileChange { path, kind, before, after } = file;
    let text = |bytes: Option<Vec<u8>>| bytes.filter(|bytes| is_text(bytes));
    let described = |change| change::describe(cx, super::super::call_id(item), &change, state);
    match (kind, text(before), text(after)) {
        (Kind::Created, _, Some(bytes)) => described(Change::Create { path, bytes }),
        (Kind::Deleted, Some(before), _) => described(Change::Delete { path, before }),
        (Kind::Changed, Some(before), Some(bytes)) => described(Change::Replace { path, before, bytes }),
        (kind, _, _) => Edit {
            call_id: Some(super::super::call_id(item).to_owned()),
            uri: cx.workspace.root().join(&path).to_uri(),
            path: path.to_string(),
            change: match kind {
                Kind::Created => EditKind::Created,
                Kind::Changed | Kind::Mode => EditKind::Changed,
                Kind::Deleted => EditKind::Deleted,
            },
            state,
            added: 0,
            removed: 0,
            hunks: Vec::new(),
        },
    }
}
