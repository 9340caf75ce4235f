//! What a client without a plugin can, as far as we use it, and what it is offered for that. Pure, but for the links of its folders.

use super::commands;
use crate::path::AbsPath;
use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    ExecuteCommandOptions, InitializeParams, ServerCapabilities, WorkDoneProgressOptions,
};

/// The kind of actions that mend nothing.
pub(super) const KIND: CodeActionKind = CodeActionKind::new("pilotfish");

/// What a client can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ability {
    /// Code actions with a kind, not only bare commands.
    pub(super) actions: bool,
    /// Diagnostics with related places.
    pub(super) related: bool,
    /// Code lenses.
    pub(super) lenses: bool,
    /// To ask for code lenses anew when it is told.
    pub(super) refresh: bool,
    /// Progress that we begin.
    pub(super) progress: bool,
    /// To open a document when it is told.
    pub(super) documents: bool,
}

impl Ability {
    /// As it says of itself.
    pub(super) fn of(client: &ClientCapabilities) -> Self {
        let document = client.text_document.as_ref();
        let (workspace, window) = (client.workspace.as_ref(), client.window.as_ref());
        let literals =
            document.and_then(|document| document.code_action.as_ref()?.code_action_literal_support.as_ref());
        let related = document.and_then(|document| document.publish_diagnostics.as_ref()?.related_information);
        let refresh = workspace.and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support);
        let documents = window.and_then(|window| window.show_document.as_ref());
        Self {
            actions: literals.is_some(),
            related: related == Some(true),
            lenses: document.is_some_and(|document| document.code_lens.is_some()),
            refresh: refresh == Some(true),
            progress: window.and_then(|window| window.work_done_progress) == Some(true),
            documents: documents.is_some_and(|documents| documents.support),
        }
    }

    /// Adds what it is offered.
    pub(super) fn offer(self, server: &mut ServerCapabilities) {
        let kinds = vec![CodeActionKind::QUICKFIX, KIND];
        server.code_action_provider = Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(kinds),
            work_done_progress_options: WorkDoneProgressOptions::default(),
            resolve_provider: None,
        }));
        server.execute_command_provider = Some(ExecuteCommandOptions {
            commands: commands::IDS.iter().map(|id| (*id).to_owned()).collect(),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        });
        server.code_lens_provider = self.lenses.then_some(CodeLensOptions { resolve_provider: None });
    }
}

/// A folder of a client: under the name it has there, and without links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) named: AbsPath,
    pub(super) real: AbsPath,
}

impl Folder {
    /// A folder that exists.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let named = if uri.starts_with('/') { AbsPath::new(uri) } else { AbsPath::from_uri(uri) };
        let real = AbsPath::canonical(uri).ok().filter(|real| real.as_path().is_dir())?;
        Some(Self { named: named.ok()?, real })
    }
}

/// The folders that a client works in, as far as they exist.
pub(super) fn folders(params: &InitializeParams) -> Vec<Folder> {
    let several: Vec<Folder> =
        params.workspace_folders.iter().flatten().filter_map(|folder| Folder::of(folder.uri.as_str())).collect();
    if !several.is_empty() {
        return several;
    }
    #[expect(deprecated, reason = "old clients say nothing else")]
    let one = params.root_uri.as_ref().map(|uri| uri.as_str()).or(params.root_path.as_deref());
    one.and_then(Folder::of).into_iter().collect()
}
