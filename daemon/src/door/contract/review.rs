//! `review/*`: the hunks that wait, and what the person decides of them. Which hunks and what becomes of the text is the workspace's.

use crate::door::{Connection, file_of, workspace};
use crate::path::AbsPath;
use crate::review::{Content, Selection, Verb};
use crate::workspace::{ReviewError, Workspace};
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::ReviewRpcServer;
use pilotfish_protocol::{ErrorKind, Hunk, HunkId, HunkList, LineRange, ReviewBase, RpcError, SessionId, TurnId};

/// Which hunks a verb means, as a client says it.
struct Said {
    workspace: String,
    hunk_ids: Option<Vec<HunkId>>,
    uri: Option<String>,
    range: Option<LineRange>,
    turn_id: Option<TurnId>,
    session_id: Option<SessionId>,
}

#[async_trait]
impl ReviewRpcServer for Connection {
    async fn list(&self, path: String, uri: Option<String>) -> RpcResult<HunkList> {
        let workspace = self.opened(&path)?;
        let path = uri.map(|uri| file_of(workspace.root(), &uri)).transpose()?;
        let of = path.as_ref().map(|path| workspace.root().join(path));
        let hunks = workspace.hunks(path, Some(&self.id)).await.map_err(RpcError::from)?;
        Ok(listed(of.as_ref(), hunks))
    }

    async fn base(&self, uri: String) -> RpcResult<ReviewBase> {
        let file = AbsPath::canonical(&uri).or_else(|_| AbsPath::from_uri(&uri));
        let file = file.map_err(|error| invalid(format!("`uri`: {error}")))?;
        let mut refused = RpcError::new(ErrorKind::NotFound, format!("{file} is in no workspace that is open"));
        for (workspace, path) in self.hub.workspaces().holding(&file) {
            match workspace.base(path).await {
                Ok(content) => return Ok(ReviewBase { text: text(&file, &content)? }),
                Err(error) => refused = error.into(),
            }
        }
        Err(refused.into())
    }

    async fn keep(
        &self,
        workspace: String,
        hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        turn_id: Option<TurnId>,
        session_id: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        self.decide(Verb::Keep, Said { workspace, hunk_ids, uri, range, turn_id, session_id }).await
    }

    async fn undo(
        &self,
        workspace: String,
        hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        turn_id: Option<TurnId>,
        session_id: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        self.decide(Verb::Undo, Said { workspace, hunk_ids, uri, range, turn_id, session_id }).await
    }

    async fn unkeep(
        &self,
        workspace: String,
        hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        turn_id: Option<TurnId>,
        session_id: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        self.decide(Verb::Unkeep, Said { workspace, hunk_ids, uri, range, turn_id, session_id }).await
    }

    async fn accept(
        &self,
        workspace: String,
        hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        turn_id: Option<TurnId>,
        session_id: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        self.decide(Verb::Accept, Said { workspace, hunk_ids, uri, range, turn_id, session_id }).await
    }

    async fn reject(
        &self,
        workspace: String,
        hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        turn_id: Option<TurnId>,
        session_id: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        self.decide(Verb::Reject, Said { workspace, hunk_ids, uri, range, turn_id, session_id }).await
    }
}

impl Connection {
    fn opened(&self, path: &str) -> Result<Workspace, RpcError> {
        Ok(self.hub.workspaces().open(&workspace(path)?))
    }

    async fn decide(&self, verb: Verb, said: Said) -> RpcResult<HunkList> {
        let workspace = self.opened(&said.workspace)?;
        let selection = selection(workspace.root(), said)?;
        let of = selection.path.as_ref().map(|path| workspace.root().join(path));
        let hunks = workspace.review(verb, selection, Some(&self.id)).await.map_err(RpcError::from)?;
        Ok(listed(of.as_ref(), hunks))
    }
}

/// Reads what a verb is about. What cannot be meant is refused, rather than taken for more than was meant.
fn selection(root: &AbsPath, said: Said) -> Result<Selection, RpcError> {
    if said.hunk_ids.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("`hunkIds` names none; leave it out to mean all of them"));
    }
    let lines = match (said.range, &said.uri) {
        (None, _) => None,
        (Some(_), None) => return Err(invalid("`range` is in lines of a file; say which in `uri`")),
        (Some(range), Some(_)) if range.start > range.end => {
            return Err(invalid(format!("`range` ends at {}, before its start at {}", range.end, range.start)));
        }
        (Some(range), Some(_)) => Some(range.start..range.end),
    };
    let path = said.uri.map(|uri| file_of(root, &uri)).transpose()?;
    Ok(Selection { hunks: said.hunk_ids, path, lines, turn: said.turn_id, session: said.session_id })
}

/// An answer. It names the file when that was asked for, or when all hunks are of one.
fn listed(asked: Option<&AbsPath>, hunks: Vec<Hunk>) -> HunkList {
    let first = hunks.first().map(|hunk| (hunk.uri.clone(), hunk.version));
    let one = first.filter(|(uri, _)| hunks.iter().all(|hunk| hunk.uri == *uri));
    let (uri, version) = match (asked, one) {
        (_, Some((uri, version))) => (Some(uri), version),
        (Some(file), None) => (Some(file.to_uri()), None),
        (None, None) => (None, None),
    };
    HunkList { uri, version, hunks }
}

/// A baseline as a text. Bytes that are no UTF-8 are shown as editors show them.
fn text(file: &AbsPath, content: &Content) -> Result<String, RpcError> {
    match content {
        Content::Absent => Ok(String::new()),
        Content::Text(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Content::Other(what) => {
            Err(RpcError::new(ErrorKind::WrongState, format!("{file} had no lines when its review began: {what}")))
        }
    }
}

fn invalid(message: impl Into<String>) -> RpcError {
    RpcError::new(ErrorKind::InvalidParams, message)
}

impl From<ReviewError> for RpcError {
    fn from(error: ReviewError) -> Self {
        let kind = match &error {
            ReviewError::NoSuchHunk(_) | ReviewError::NotReviewed(_) => ErrorKind::NotFound,
            ReviewError::NotWritten { .. } | ReviewError::Conflict(_) | ReviewError::Closed => ErrorKind::WrongState,
        };
        RpcError::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests;
