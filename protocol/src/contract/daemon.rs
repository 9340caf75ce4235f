//! The daemon itself.

use crate::{DaemonStatus, Done};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// The daemon itself.
#[rpc(server, client, namespace = "daemon", namespace_separator = "/")]
pub trait DaemonRpc {
    /// What runs, and what is enforced on this machine.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<DaemonStatus>;

    /// Ends the daemon; with `drain` as soon as no turn runs.
    #[method(name = "stop", param_kind = map)]
    async fn stop(&self, drain: Option<bool>) -> RpcResult<Done>;
}
