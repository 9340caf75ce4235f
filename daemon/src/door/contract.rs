//! The contract's methods, one file for each of its traits. They read parameters, send verbs and give answers; they decide nothing.

mod approval;
mod checkpoint;
mod command;
mod complete;
mod daemon;
mod editor;
mod file;
mod model;
mod question;
mod review;
mod rule;
mod session;
mod trust;
mod usage;

use crate::door::Connection;
use jsonrpsee::Methods;
use pilotfish_protocol::contract::{
    ApprovalRpcServer, CheckpointRpcServer, CommandRpcServer, DaemonRpcServer, EditorRpcServer, FileRpcServer,
    ModelRpcServer, QuestionRpcServer, ReviewRpcServer, RuleRpcServer, SessionRpcServer, TrustRpcServer,
    UsageRpcServer,
};

/// All methods of ours, for one connection.
pub(super) fn methods(connection: &Connection) -> Methods {
    let mut methods = Methods::new();
    let resources: [Methods; 13] = [
        ApprovalRpcServer::into_rpc(connection.clone()).into(),
        CheckpointRpcServer::into_rpc(connection.clone()).into(),
        CommandRpcServer::into_rpc(connection.clone()).into(),
        DaemonRpcServer::into_rpc(connection.clone()).into(),
        EditorRpcServer::into_rpc(connection.clone()).into(),
        FileRpcServer::into_rpc(connection.clone()).into(),
        ModelRpcServer::into_rpc(connection.clone()).into(),
        QuestionRpcServer::into_rpc(connection.clone()).into(),
        ReviewRpcServer::into_rpc(connection.clone()).into(),
        RuleRpcServer::into_rpc(connection.clone()).into(),
        SessionRpcServer::into_rpc(connection.clone()).into(),
        TrustRpcServer::into_rpc(connection.clone()).into(),
        UsageRpcServer::into_rpc(connection.clone()).into(),
    ];
    for resource in resources {
        // The traits have a namespace each, so no name can be taken twice.
        if let Err(error) = methods.merge(resource) {
            tracing::error!(%error, "a method is declared twice");
        }
    }
    methods
}
