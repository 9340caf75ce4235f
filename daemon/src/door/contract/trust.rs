//! `trust/*`: whether what a workspace ships takes effect.

use crate::config::trust::{Saying, ShippedText};
use crate::door::{Connection, workspace};
use crate::path::AbsPath;
use crate::text::hunks;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::TrustRpcServer;
use pilotfish_protocol::{RpcError, Shipped, Trust, TrustState};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

#[async_trait]
impl TrustRpcServer for Connection {
    async fn get(&self, path: String) -> RpcResult<TrustState> {
        let workspace = workspace(&path)?;
        let saying = self.hub.trust(&workspace).map_err(RpcError::from)?;
        Ok(state(&saying, &workspace))
    }

    async fn set(&self, path: String, trust: Trust) -> RpcResult<TrustState> {
        let workspace = workspace(&path)?;
        let saying = self.hub.set_trust(&workspace, trust).await.map_err(RpcError::from)?;
        Ok(state(&saying, &workspace))
    }
}

fn state(saying: &Saying, workspace: &AbsPath) -> TrustState {
    let shipped = saying.ships(workspace).into_iter().map(|ShippedText { path, trusted, present }| {
        let counts = present.as_deref().is_some_and(|text| saying.counts(&path, text));
        let diff = trusted
            .filter(|_| !counts)
            .map(|trusted| hunks::unified(&trusted, present.as_deref().unwrap_or_default(), &path, &path, CONTEXT));
        Shipped { path, counts, diff }
    });
    TrustState { trust: saying.trust, ships: shipped.collect() }
}
