//! The methods, one trait for each resource. Together these traits are the method table; nothing else names a method.
//!
//! Parameters are objects with the names below in camelCase. A parameter of type `Option` may be left out, and unknown ones
//! are ignored. In answers and notifications too, what there is nothing to say of is absent, never `null`.

mod approval;
mod checkpoint;
mod command;
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

pub use approval::{ApprovalRpcClient, ApprovalRpcServer};
pub use checkpoint::{CheckpointRpcClient, CheckpointRpcServer};
pub use command::{CommandRpcClient, CommandRpcServer};
pub use daemon::{DaemonRpcClient, DaemonRpcServer};
pub use editor::{EditorRpcClient, EditorRpcServer};
pub use file::{FileRpcClient, FileRpcServer};
pub use model::{ModelRpcClient, ModelRpcServer};
pub use question::{QuestionRpcClient, QuestionRpcServer};
pub use review::{ReviewRpcClient, ReviewRpcServer};
pub use rule::{RuleRpcClient, RuleRpcServer};
pub use session::{SessionRpcClient, SessionRpcServer};
pub use trust::{TrustRpcClient, TrustRpcServer};
pub use usage::{UsageRpcClient, UsageRpcServer};
