//! What the ledger knows of a file, as it is stored: a small JSON text and the bytes it speaks of. Where they are stored is the
//! caller's.

use super::body::{Body, Whole};
use super::file::{Conflict, File, Proposal};
use super::sheet::{Piece, Sheet, State, bytes};
use super::{Content, Source, lines};
use pilotfish_protocol::{HunkId, SessionId, TurnId};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// A file of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// JSON.
    pub meta: String,
    /// The bytes that `meta` counts, in order.
    pub texts: Vec<Arc<[u8]>>,
}

/// Why a file cannot be known again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// The JSON is not ours.
    #[error("cannot read the saved review: {0}")]
    Json(String),
    /// The texts are not those that the JSON speaks of.
    #[error("cannot read the saved review: its texts do not fit")]
    Texts,
}

#[derive(Serialize, Deserialize)]
struct SavedFile {
    applied: SavedBody,
    proposals: Vec<SavedProposal>,
}

#[derive(Serialize, Deserialize)]
struct SavedProposal {
    session: SessionId,
    view: SavedBody,
    conflicts: Vec<SavedConflict>,
}

#[derive(Serialize, Deserialize)]
struct SavedConflict {
    mark: SavedMark,
    at: Range<u32>,
    old: Range<usize>,
    new: Range<usize>,
}

#[derive(Serialize, Deserialize)]
enum SavedBody {
    Lines { now: SavedContent, on_nothing: bool, presence: Option<SavedMark>, pieces: Vec<SavedPiece> },
    Whole { base: SavedContent, now: SavedContent, change: Option<SavedMark>, kept: Option<(SavedMark, SavedContent)> },
}

#[derive(Serialize, Deserialize)]
struct SavedPiece {
    mark: SavedMark,
    new: Range<u32>,
    old: Range<usize>,
    made: Range<usize>,
    /// Absent for one that waits; else whether it settled that the file exists.
    kept: Option<bool>,
    part_of: Option<HunkId>,
}

#[derive(Serialize, Deserialize)]
struct SavedMark {
    id: HunkId,
    session: SessionId,
    turn: TurnId,
}

#[derive(Serialize, Deserialize)]
enum SavedContent {
    Absent,
    /// The number of the text.
    Text(usize),
    Other(String),
}

impl Saved {
    pub(super) fn of(file: &File) -> Self {
        let mut store = Store::default();
        let saved = SavedFile {
            applied: store.body(&file.applied),
            proposals: file.proposals.iter().map(|proposal| store.proposal(proposal)).collect(),
        };
        // Names and numbers can always be written.
        let meta = serde_json::to_string(&saved).unwrap_or_default();
        let mut texts = vec![Arc::from(store.small)];
        texts.extend(store.texts);
        Self { meta, texts }
    }

    pub(super) fn file(&self) -> Result<File, SavedError> {
        let saved: SavedFile = serde_json::from_str(&self.meta).map_err(|error| SavedError::Json(error.to_string()))?;
        let proposals = saved.proposals.into_iter().map(|proposal| self.proposal(proposal));
        Ok(File { applied: self.body(saved.applied)?, proposals: proposals.collect::<Result<_, _>>()? })
    }

    fn proposal(&self, saved: SavedProposal) -> Result<Proposal, SavedError> {
        let conflict = |saved: SavedConflict| {
            let Mark { id, source } = saved.mark.into();
            Ok(Conflict { id, source, at: saved.at, old: self.small(saved.old)?, new: self.small(saved.new)? })
        };
        let conflicts = saved.conflicts.into_iter().map(conflict).collect::<Result<_, _>>()?;
        Ok(Proposal { session: saved.session, view: self.body(saved.view)?, conflicts })
    }

    fn body(&self, saved: SavedBody) -> Result<Body, SavedError> {
        let pair = |mark: SavedMark| {
            let Mark { id, source } = mark.into();
            (id, source)
        };
        match saved {
            SavedBody::Lines { now, on_nothing, presence, pieces } => {
                let now = self.content(now)?;
                let count = lines::count(bytes(&now));
                let pieces: Vec<Piece> = pieces.into_iter().map(|piece| self.piece(piece)).collect::<Result<_, _>>()?;
                let mut at = 0;
                for piece in &pieces {
                    if piece.new.start < at || piece.new.end < piece.new.start || piece.new.end > count {
                        return Err(SavedError::Texts);
                    }
                    at = piece.new.end;
                }
                Ok(Body::Lines(Sheet { now, on_nothing, presence: presence.map(pair), pieces }))
            }
            SavedBody::Whole { base, now, change, kept } => {
                let kept = kept.map(|(mark, base)| {
                    let (id, source) = pair(mark);
                    Ok((id, source, self.content(base)?))
                });
                let (base, now) = (self.content(base)?, self.content(now)?);
                Ok(Body::Whole(Whole { base, now, change: change.map(pair), kept: kept.transpose()? }))
            }
        }
    }

    fn piece(&self, saved: SavedPiece) -> Result<Piece, SavedError> {
        let Mark { id, source } = saved.mark.into();
        let state = match saved.kept {
            None => State::Open,
            Some(settled_presence) => State::Kept { settled_presence },
        };
        let (old, made) = (self.small(saved.old)?, self.small(saved.made)?);
        Ok(Piece { id, source, new: saved.new, old, made, state, part_of: saved.part_of })
    }

    fn small(&self, range: Range<usize>) -> Result<Vec<u8>, SavedError> {
        let bytes = self.texts.first().and_then(|small| small.get(range));
        bytes.map(<[u8]>::to_vec).ok_or(SavedError::Texts)
    }

    fn content(&self, saved: SavedContent) -> Result<Content, SavedError> {
        match saved {
            SavedContent::Absent => Ok(Content::Absent),
            SavedContent::Text(number) => {
                let text = self.texts.iter().skip(1).nth(number);
                text.cloned().map(Content::Text).ok_or(SavedError::Texts)
            }
            SavedContent::Other(words) => Ok(Content::Other(Arc::from(words))),
        }
    }
}

struct Mark {
    id: HunkId,
    source: Source,
}

impl From<SavedMark> for Mark {
    fn from(saved: SavedMark) -> Self {
        Self { id: saved.id, source: Source { session: saved.session, turn: saved.turn } }
    }
}

/// Bytes on their way to be saved: the texts, and all that is smaller in one.
#[derive(Default)]
struct Store {
    texts: Vec<Arc<[u8]>>,
    small: Vec<u8>,
}

impl Store {
    fn proposal(&mut self, proposal: &Proposal) -> SavedProposal {
        let conflict = |conflict: &Conflict| SavedConflict {
            mark: mark(&conflict.id, &conflict.source),
            at: conflict.at.clone(),
            old: self.small(&conflict.old),
            new: self.small(&conflict.new),
        };
        let conflicts = proposal.conflicts.iter().map(conflict).collect();
        SavedProposal { session: proposal.session.clone(), view: self.body(&proposal.view), conflicts }
    }

    fn body(&mut self, body: &Body) -> SavedBody {
        match body {
            Body::Lines(sheet) => SavedBody::Lines {
                now: self.content(&sheet.now),
                on_nothing: sheet.on_nothing,
                presence: sheet.presence.as_ref().map(|(id, source)| mark(id, source)),
                pieces: sheet.pieces.iter().map(|piece| self.piece(piece)).collect(),
            },
            Body::Whole(whole) => SavedBody::Whole {
                base: self.content(&whole.base),
                now: self.content(&whole.now),
                change: whole.change.as_ref().map(|(id, source)| mark(id, source)),
                kept: whole.kept.as_ref().map(|(id, source, base)| (mark(id, source), self.content(base))),
            },
        }
    }

    fn piece(&mut self, piece: &Piece) -> SavedPiece {
        SavedPiece {
            mark: mark(&piece.id, &piece.source),
            new: piece.new.clone(),
            old: self.small(&piece.old),
            made: self.small(&piece.made),
            kept: match piece.state {
                State::Open => None,
                State::Kept { settled_presence } => Some(settled_presence),
            },
            part_of: piece.part_of.clone(),
        }
    }

    fn small(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.small.len();
        self.small.extend_from_slice(bytes);
        start..self.small.len()
    }

    fn content(&mut self, content: &Content) -> SavedContent {
        match content {
            Content::Absent => SavedContent::Absent,
            Content::Text(text) => {
                self.texts.push(text.clone());
                SavedContent::Text(self.texts.len() - 1)
            }
            Content::Other(words) => SavedContent::Other(words.to_string()),
        }
    }
}

fn mark(id: &HunkId, source: &Source) -> SavedMark {
    SavedMark { id: id.clone(), session: source.session.clone(), turn: source.turn.clone() }
}
