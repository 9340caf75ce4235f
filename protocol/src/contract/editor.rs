//! What the person looks at.

use crate::{Diagnostic, Done, Range};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// What the person looks at.
#[rpc(server, client, namespace = "editor", namespace_separator = "/")]
pub trait EditorRpc {
    /// A notification: what the person looks at. Nothing waits for its answer.
    #[method(name = "state", param_kind = map)]
    async fn state(
        &self,
        focused: bool,
        uri: Option<String>,
        selection: Option<Range>,
        visible: Option<Range>,
    ) -> RpcResult<Done>;

    /// A notification: the problems that an editor shows in a file, all of them. Nothing waits for its answer.
    #[method(name = "diagnostics", param_kind = map)]
    async fn diagnostics(&self, uri: String, version: Option<u32>, diagnostics: Vec<Diagnostic>) -> RpcResult<Done>;
}
