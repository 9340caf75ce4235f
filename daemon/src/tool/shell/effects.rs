//! What becomes of a command's writes: they are published, what is protected is asked about first, and the model and the person are told.

use super::super::change;
use crate::cx::{Need, PROTECTED, Permission, TurnCx};
use crate::path::{AbsPath, RootedPath};
use crate::workspace::Change;
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Conflict, FileChange, Held, Kind, Publication, Published, WITH_TEXT, Why};
use pilotfish_protocol::{Edit, EditKind, EditState, Item, Mode};
use std::sync::Arc;

/// Names in one line for the model, at most.
const NAMED: usize = 12;

/// What is to be told of a command's writes.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Lines for the model.
    pub(super) lines: Vec<String>,
    /// What changed, as editors show it.
    pub(super) edits: Vec<Edit>,
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
    let Some(published) = cx.workspace.publish(early).await else {
        effects.lines.push("not written: the workspace is closed".to_owned());
        return effects;
    };
    let held = effects.take(cx, item, published);
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
        let Published { changed, held, conflicts, counts, notes } = published;
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

    async fn ask(&mut self, cx: &TurnCx, item: &Item, command: &str, publication: Arc<Publication>, held: Vec<Held>) {
        let names: Vec<String> = held.iter().map(|held| shown(cx, &held.path)).collect();
        let mut whys: Vec<&str> = held.iter().map(|held| held.why.why()).collect();
        whys.dedup();
        let edits = held.iter().filter_map(|held| held_edit(cx, item, held)).collect();
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
                if let Some(released) = cx.workspace.release(publication, held).await {
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

fn held_edit(cx: &TurnCx, item: &Item, held: &Held) -> Option<Edit> {
    let inside = held.path.as_path().strip_prefix(cx.workspace.root().as_path()).ok()?.to_str()?;
    let path = RootedPath::new(cx.workspace.root(), inside).ok()?;
    let (before, after) = (held.before.clone(), held.after.clone());
    Some(edit(cx, item, FileChange { path, kind: held.kind, before, after }, EditState::Proposed))
}

/// A change as editors show it; without hunks where it is no text, or too much of it.
fn edit(cx: &TurnCx, item: &Item, file: FileChange, state: EditState) -> Edit {
    let FileChange { path, kind, before, after } = file;
    let text = |bytes: Option<Vec<u8>>| {
        bytes.filter(|bytes| std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')))
    };
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
