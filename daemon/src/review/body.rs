//! What one name holds over what it held below: a sheet of lines, or something without lines that is taken as a whole.

use super::sheet::{Choice, Lost, Piece, Sheet, State, Trace, names};
use super::{Content, Ids, Mark, Selection, Source};
use pilotfish_protocol::HunkId;

/// What stands under a name, and what is to be reviewed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Lines(Sheet),
    Whole(Whole),
}

/// A content that is reviewed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) base: Content,
    pub(super) now: Content,
    /// Who changed it; nobody whose change waits when there is none.
    pub(super) change: Option<(HunkId, Source)>,
    /// What was kept, and what was below then.
    pub(super) kept: Option<(HunkId, Source, Content)>,
}

/// Which pieces a verb is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    Kept,
}

impl Body {
    /// Nothing changed yet.
    pub(super) fn new(content: &Content) -> Self {
        match content {
            Content::Absent | Content::Text(_) => Body::Lines(Sheet::new(content.clone())),
            Content::Other(_) => Body::Whole(Whole::new(content.clone(), content.clone(), None)),
        }
    }

    pub(super) fn now(&self) -> &Content {
        match self {
            Body::Lines(sheet) => &sheet.now,
            Body::Whole(whole) => &whole.now,
        }
    }

    pub(super) fn base(&self) -> Content {
        match self {
            Body::Lines(sheet) => sheet.base(),
            Body::Whole(whole) => whole.base.clone(),
        }
    }

    /// Whether something waits to be reviewed.
    pub(super) fn has_open(&self) -> bool {
        match self {
            Body::Lines(sheet) => sheet.has_open(),
            Body::Whole(whole) => whole.change.is_some(),
        }
    }

    /// Whether a keep can be taken back.
    pub(super) fn has_kept(&self) -> bool {
        match self {
            Body::Lines(sheet) => sheet.pieces.iter().any(|piece| !piece.is_open()),
            Body::Whole(whole) => whole.kept.is_some(),
        }
    }

    pub(super) fn agent(&mut self, after: &Content, source: &Source, ids: &mut Ids) {
        if self.now() == after {
            return;
        }
        let without_lines = matches!(after, Content::Other(_));
        let changed = match self {
            Body::Lines(sheet) if !without_lines => return sheet.agent(after, source, ids),
            Body::Lines(sheet) => {
                let id = sheet.open().next().map(|piece| piece.id.clone());
                Whole::new(sheet.base(), after.clone(), Some((id.unwrap_or_else(|| ids.next()), source.clone())))
            }
            Body::Whole(whole) => {
                let id = whole.change.take().map(|(id, _)| id);
                let id = id.unwrap_or_else(|| ids.next());
                Whole::new(whole.base.clone(), after.clone(), Some((id, source.clone())))
            }
        };
        *self = if changed.base == *after {
            Body::new(after)
        } else if without_lines || matches!(changed.base, Content::Other(_)) {
            Body::Whole(changed)
        } else {
            let mut sheet = Sheet::new(changed.base);
            sheet.agent(after, source, ids);
            Body::Lines(sheet)
        };
    }

    pub(super) fn person(&mut self, after: &Content, ids: &mut Ids) -> Trace {
        if self.now() == after {
            return Trace::default();
        }
        match (&mut *self, after) {
            (Body::Lines(sheet), Content::Absent | Content::Text(_)) => return sheet.person(after, ids),
            (Body::Lines(_) | Body::Whole(_), Content::Absent | Content::Text(_) | Content::Other(_)) => {}
        }
        // Nothing of what waited is in what the person put in its place.
        let gone = self.marks();
        *self = Body::new(after);
        Trace { gone, typed: Vec::new() }
    }

    /// All that waits.
    pub(super) fn marks(&self) -> Vec<Mark> {
        match self {
            Body::Lines(sheet) => sheet.marks(),
            Body::Whole(whole) => whole.change.iter().map(|(id, source)| Mark::whole(id, source)).collect(),
        }
    }

    /// All that waits or was kept.
    pub(super) fn all_marks(&self) -> Vec<Mark> {
        let mut marks = self.marks();
        match self {
            Body::Lines(sheet) => marks.extend(sheet.pieces.iter().filter(|piece| !piece.is_open()).map(Piece::mark)),
            Body::Whole(whole) => marks.extend(whole.kept.iter().map(|(id, source, _)| Mark::whole(id, source))),
        }
        marks
    }

    /// The text below became another one. Gives what does not fit any more.
    pub(super) fn rebase(&mut self, after: &Content) -> Vec<Lost> {
        match (&mut *self, after) {
            (Body::Lines(sheet), Content::Absent | Content::Text(_)) => return sheet.rebase(after),
            (Body::Whole(whole), _) if whole.base == *after => return Vec::new(),
            (Body::Lines(_) | Body::Whole(_), Content::Absent | Content::Text(_) | Content::Other(_)) => {}
        }
        let lost = |Mark { id, source, .. }| Lost::whole(id, source);
        let lost = if self.now() == after { Vec::new() } else { self.marks().into_iter().map(lost).collect() };
        *self = Body::new(after);
        lost
    }

    /// What the selection means here. It looks at no path.
    pub(super) fn choose(&self, selection: &Selection, stage: Stage) -> Vec<Choice> {
        let fits = |id: &HunkId, source: &Source| names(selection, source, |other| other == id);
        let bare = match self {
            Body::Lines(sheet) => {
                let mut choices = sheet.choose(selection, |piece| piece.is_open() == (stage == Stage::Open));
                let bare = sheet.bare_presence().filter(|(id, source)| stage == Stage::Open && fits(id, source));
                choices.extend(bare.map(|(id, _)| Choice { id: id.clone(), lines: None }));
                return choices;
            }
            Body::Whole(whole) => match stage {
                Stage::Open => whole.change.as_ref().map(|(id, source)| (id, source)),
                Stage::Kept => whole.kept.as_ref().map(|(id, source, _)| (id, source)),
            },
        };
        let bare = bare.filter(|(id, source)| fits(id, source));
        bare.into_iter().map(|(id, _)| Choice { id: id.clone(), lines: None }).collect()
    }

    pub(super) fn keep(&mut self, choices: &[Choice], ids: &mut Ids) {
        match self {
            Body::Lines(sheet) => sheet.keep(choices, ids),
            Body::Whole(whole) => {
                if let Some((id, source)) =
                    whole.change.take_if(|(id, _)| choices.iter().any(|choice| choice.id == *id))
                {
                    let base = std::mem::replace(&mut whole.base, whole.now.clone());
                    whole.kept = Some((id, source, base));
                }
            }
        }
    }

    pub(super) fn unkeep(&mut self, choices: &[Choice]) {
        match self {
            Body::Lines(sheet) => sheet.unkeep(choices),
            Body::Whole(whole) => {
                if let Some((id, source, base)) =
                    whole.kept.take_if(|(id, ..)| choices.iter().any(|choice| choice.id == *id))
                {
                    whole.base = base;
                    whole.change = Some((id, source));
                }
            }
        }
    }

    /// No keep can be taken back any more.
    pub(super) fn forget_kept(&mut self) {
        match self {
            Body::Lines(sheet) => sheet.pieces.retain(Piece::is_open),
            Body::Whole(whole) => whole.kept = None,
        }
    }

    pub(super) fn undo(&mut self, choices: &[Choice], ids: &mut Ids) {
        match self {
            Body::Lines(sheet) => sheet.undo(choices, ids),
            Body::Whole(whole) => {
                let change = whole.change.as_ref();
                if change.is_some_and(|(id, _)| choices.iter().any(|choice| choice.id == *id)) {
                    *self = Body::new(&whole.base.clone());
                }
            }
        }
    }
}

impl Whole {
    fn new(base: Content, now: Content, change: Option<(HunkId, Source)>) -> Self {
        Self { base, now, change, kept: None }
    }
}

impl Lost {
    /// What has no lines.
    pub(super) fn whole(id: HunkId, source: Source) -> Self {
        let (old, made, state) = (Vec::new(), Vec::new(), State::Open);
        let piece = Piece { id, source, new: 0..0, old, made, state, part_of: None };
        Lost { piece, lines: Vec::new(), at: 0..0 }
    }
}
