//! What the model is given without asking: what the person attached, what is said to agents here, what editors report after an edit. Each
//! time one item, which shows the person what was given.

use super::{add, tell_person_once};
use crate::cx::{Shown, Speaking, TurnCx, TurnError};
use crate::path::RootedPath;
use crate::prompt::{History, receipt};
use pilotfish_protocol::{ContextPart, ContextReceipt, InputPart, ItemContent, Range as TextRange};
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// How long the language servers of an editor have to look at an edit.
const LOOK: Duration = Duration::from_millis(1500);

/// Bytes of a file that are looked at.
const MAX_READ: u64 = 16 << 20;

/// How many attachments of the largest size one prompt has room for.
const LARGE: usize = 4;

/// Before a request: what belongs to what the person said since the model last spoke, and what the folders say to agents whose files were
/// named since.
pub(super) async fn give(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    let asked: Vec<InputPart> = history.unattached().into_iter().cloned().collect();
    let mut files: BTreeSet<RootedPath> = cx.named.take().iter().flat_map(receipt::instruction_files).collect();
    if asked.is_empty() && files.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<RootedPath> = history.instructed().keys().filter_map(|uri| cx.path_of(uri)).collect();
    if asked.is_empty() {
        files.retain(|file| !known.contains(file));
        if files.is_empty() {
            return Ok(());
        }
    } else {
        // A new prompt is the time to see whether all that was said still holds.
        files.extend(known);
        files.extend(receipt::root_instructions());
    }
    let mut parts = attached(cx, &asked).await;
    let speaking = cx.speaking(files).await;
    for why in speaking.iter().filter_map(|speaking| speaking.withheld.as_ref()) {
        tell_person_once(cx, history, why).await?;
    }
    let mut fresh = 0;
    for speaking in speaking {
        // Those that are known have their room before all new ones.
        let is_known = history.instructed().contains_key(speaking.uri.as_str());
        let taken = history.taken_before(&speaking.uri) + if is_known { 0 } else { fresh };
        if let Some(part) = instructions(history, speaking, taken) {
            fresh += if is_known { 0 } else { part.text.len() };
            parts.push(part);
        }
    }
    record(cx, history, parts).await
}

/// What is to be said of a file that speaks to agents, where the model does not know it yet; others take so many bytes of the room.
fn instructions(history: &History, speaking: Speaking, taken: usize) -> Option<ContextPart> {
    let Speaking { title, uri, text, withheld } = speaking;
    let told = history.instructed().get(uri.as_str()).copied().filter(|part| !receipt::is_withdrawn(part));
    match text.filter(|text| withheld.is_none() && !text.trim().is_empty()) {
        Some(text) => {
            let part = receipt::instructions(&title, uri, &text, taken);
            (told.is_none_or(|told| told.text != part.text)).then_some(part)
        }
        None => told.map(|_| receipt::no_instructions(&title, uri)),
    }
}

/// What changed in what editors report, once they have looked at the last edits.
pub(super) async fn tell_problems(cx: &TurnCx, history: &mut History, before: Shown) -> Result<(), TurnError> {
    let (before, after) = cx.problems_since(before, LOOK).await;
    record(cx, history, receipt::problems_changed(&before, &after).into_iter().collect()).await
}

async fn record(cx: &TurnCx, history: &mut History, parts: Vec<ContextPart>) -> Result<(), TurnError> {
    if parts.is_empty() {
        return Ok(());
    }
    add(cx, history, cx.item(ItemContent::Context(ContextReceipt { parts }))).await
}

/// What is to be attached.
enum Wanted {
    /// A file, or lines of it.
    File(RootedPath, Option<Range<u32>>),
    /// The same, of a word that may mean something else.
    Word(RootedPath, Option<Range<u32>>),
    /// The problems of a file, or of all.
    Problems(Option<RootedPath>),
    /// What waits for review.
    Changes,
    /// Nothing, and why.
    Nothing(String, &'static str),
}

/// What a prompt brings with it: what was attached, and what its words name with `@`.
async fn attached(cx: &TurnCx, asked: &[InputPart]) -> Vec<ContextPart> {
    let mut parts: Vec<ContextPart> = Vec::new();
    let mut room = cx.limits.output_chars * LARGE;
    for wanted in asked.iter().flat_map(|part| wanted(cx, part)) {
        let Some(part) = part(cx, wanted, room.min(cx.limits.output_chars)).await else { continue };
        if parts.iter().all(|known| known.title != part.title) {
            room = room.saturating_sub(part.text.len());
            parts.push(part);
        }
    }
    parts
}

async fn part(cx: &TurnCx, wanted: Wanted, room: usize) -> Option<ContextPart> {
    Some(match wanted {
        Wanted::File(path, lines) => match cx.text_of(&path, MAX_READ).await {
            Ok((text, uri)) => receipt::file(&path.to_string(), uri, &text, lines.as_ref(), room),
            Err(why) => receipt::missing(&path.to_string(), &why),
        },
        Wanted::Word(path, lines) => {
            let (text, uri) = cx.text_of(&path, MAX_READ).await.ok()?;
            receipt::file(&path.to_string(), uri, &text, lines.as_ref(), room)
        }
        Wanted::Problems(path) => {
            let (mut problems, path) = (cx.problems(), path.map(|path| path.to_string()));
            problems.retain(|known, _| path.as_ref().is_none_or(|path| path == known));
            receipt::problems(&problems)
        }
        Wanted::Changes => receipt::changes(&cx.waiting().await, room),
        Wanted::Nothing(what, why) => receipt::missing(&what, why),
    })
}

fn wanted(cx: &TurnCx, part: &InputPart) -> Vec<Wanted> {
    let not_here = |uri: &str| Wanted::Nothing(uri.to_owned(), "it is no file of this workspace");
    let one = |uri: &str, lines| cx.path_of(uri).map_or_else(|| not_here(uri), |path| Wanted::File(path, lines));
    match part {
        InputPart::Text { text } => receipt::named(text).into_iter().flat_map(|name| named(cx, name)).collect(),
        InputPart::File { uri } => vec![one(uri, None)],
        InputPart::Selection { uri, range } | InputPart::Symbol { uri, range } => vec![one(uri, Some(lines(range)))],
        InputPart::Diagnostics { uri: None } => vec![Wanted::Problems(None)],
        InputPart::Diagnostics { uri: Some(uri) } => {
            vec![cx.path_of(uri).map_or_else(|| not_here(uri), |path| Wanted::Problems(Some(path)))]
        }
        InputPart::Changes => vec![Wanted::Changes],
        InputPart::Image { .. } => Vec::new(),
    }
}

fn named(cx: &TurnCx, name: &str) -> Vec<Wanted> {
    match name {
        "problems" => vec![Wanted::Problems(None)],
        "changes" => vec![Wanted::Changes],
        "selection" => match cx.selection() {
            Some(selection) => wanted(cx, &selection),
            None => vec![Wanted::Nothing("@selection".to_owned(), "no editor says that anything is selected")],
        },
        name => {
            let (path, lines) = receipt::lines_of(name);
            let path = RootedPath::new(cx.workspace.root(), path).ok().filter(|path| !path.is_root());
            path.map(|path| Wanted::Word(path, lines)).into_iter().collect()
        }
    }
}

/// The lines that a range is in, from 0. One that ends at the beginning of a line does not mean that line.
fn lines(range: &TextRange) -> Range<u32> {
    let is_at_start = range.end.character == 0 && range.end.line > range.start.line;
    range.start.line..range.end.line + u32::from(!is_at_start)
}
