//! The only handle of a turn to the world: what it may use, and how it speaks to its session.

use crate::clock::Clock;
use crate::config::{Beyond, Home, Limits};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::model::{Model, ModelError, ToolSpec};
use crate::review::Source;
use crate::sandbox::Sandbox;
use crate::sandbox::proxy::Resolve;
use crate::workspace::Workspace;
use pilotfish_protocol::{
    Effort, Item, ItemContent, ItemId, Mode, ModelName, Price, SessionId, SessionStatus, Status, TurnId, Update, Usage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

mod background;
mod given;
mod inquiry;
mod permit;

pub use background::{
    Background, Birth, End, Input, InputError, Launch, NOT_BEGUN, Piece, Report, Stopper, Until, Work,
};
pub use given::{Named, Problems, Shown, Speaking};
pub use inquiry::{ASK, Inquiry, Said};
pub use permit::{Answer, GrantedBy, HOST, Need, PATH, PROTECTED, Permission, Question, said_no};

/// What a turn says to its session.
#[derive(Debug)]
pub enum TurnEvent {
    /// Changes to journal and show. The answer means that they are in the journal.
    Record(Vec<Update>, oneshot::Sender<()>),
    /// A change to show only.
    Show(Box<Update>),
    /// A question for the person, and where its answer goes. Dropping the other end takes the question back.
    Ask(Box<Question>, oneshot::Sender<Answer>),
    /// Something else to ask the person, and where the answer goes. Dropping the other end takes it back.
    Inquire(Inquiry, oneshot::Sender<Said>),
    /// A command that is to begin in the background. The answer is the command, or why it may not begin.
    Launch(Launch, oneshot::Sender<Result<Background, String>>),
    /// The commands in the background are wanted.
    Commands(oneshot::Sender<Vec<Background>>),
}

/// The only handle of a turn to the world.
pub struct TurnCx {
    /// Whose turn.
    pub session: SessionId,
    /// Which turn.
    pub turn: TurnId,
    /// What answers.
    pub model: Arc<dyn Model>,
    /// What it may call; the same for the whole session.
    pub tools: Arc<[ToolSpec]>,
    /// What was asked for, in a line.
    pub title: String,
    /// Its name.
    pub model_name: ModelName,
    /// Its context size in tokens, if known.
    pub context_size: Option<u64>,
    /// How hard it thinks.
    pub effort: Option<Effort>,
    /// The folder.
    pub workspace: Workspace,
    /// What confines commands.
    pub sandbox: Sandbox,
    /// The environment commands may see a part of.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Where full outputs go.
    pub journal: Journal,
    /// Where the writes of commands go.
    pub ground: Ground,
    /// What resolves the names of granted hosts.
    pub names: Arc<dyn Resolve>,
    /// What commands reach without asking.
    pub beyond: Beyond,
    /// Where the person's rules lie.
    pub home: Home,
    /// Time and ids.
    pub clock: Clock,
    /// The limits.
    pub limits: Limits,
    /// What the agent may do, as of now.
    pub mode: watch::Receiver<Mode>,
    /// Ends the turn.
    pub cancel: CancellationToken,
    /// Ends the running command.
    pub stop_command: Arc<Notify>,
    /// Items from outside that are open: steering prompts, notices. Each ends where the turn takes it into the history.
    pub steered: mpsc::UnboundedReceiver<Item>,
    /// To the session.
    pub events: mpsc::Sender<TurnEvent>,
    /// To the session, of what goes on beside turns.
    pub background: mpsc::Sender<TurnEvent>,
    /// Tokens of this turn so far.
    pub usage: Usage,
    /// Tokens of the session before this turn.
    pub used_before: Usage,
    /// What the person allowed beyond the budget, by its key.
    pub allowed: BTreeMap<&'static str, u64>,
    /// What the model costs, if known.
    pub price: Option<Price>,
    /// Set while somebody wants the history condensed.
    pub wants_to_condense: Arc<AtomicBool>,
    /// The files that calls named since the loop last looked.
    pub named: Named,
}

/// Why a turn ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// The model could not be asked.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The history does not fit the model, condensed or not.
    #[error(
        "the conversation no longer fits the model, also after it was condensed: {0}. Set the true `context` of the model in \
         config.toml, choose a model with a larger one, or go on in a new session"
    )]
    Full(String),
    /// The person allowed no more than was used.
    #[error("{0}")]
    Budget(String),
    /// The model repeats itself.
    #[error("{0}")]
    Looping(String),
    /// The session went away.
    #[error("the session ended")]
    Orphaned,
}

impl TurnCx {
    /// Whose changes this turn's are.
    #[must_use]
    pub fn source(&self) -> Source {
        Source { session: self.session.clone(), turn: self.turn.clone() }
    }

    /// A new item of this turn.
    #[must_use]
    pub fn item(&self, content: ItemContent) -> Item {
        Item { id: self.clock.item_id(), turn_id: Some(self.turn.clone()), at: self.clock.now(), content }
    }

    /// Journals updates and shows them; answers when they are in the journal.
    ///
    /// # Errors
    /// When the session is gone or could not journal them; the turn must end.
    pub async fn record(&self, updates: Vec<Update>) -> Result<(), TurnError> {
        let (done, journaled) = oneshot::channel();
        self.events.send(TurnEvent::Record(updates, done)).await.map_err(|_| TurnError::Orphaned)?;
        journaled.await.map_err(|_| TurnError::Orphaned)
    }

    /// Shows an update that is not journaled.
    pub async fn show(&self, update: Update) {
        // A session that is gone shows nothing; the next record ends the turn.
        let _ = self.events.send(TurnEvent::Show(Box::new(update))).await;
    }

    /// Shows text that an open item gained.
    pub async fn delta(&self, item_id: &ItemId, text: String) {
        self.show(Update::ItemDelta { item_id: item_id.clone(), text }).await;
    }

    /// Shows what the turn does now.
    pub async fn status(&self, state: Status, text: &str) {
        self.show(Update::StatusChanged { status: SessionStatus { state, text: text.to_owned() } }).await;
    }

    /// Adds what one request used.
    pub fn add_usage(&mut self, usage: &Usage) {
        let context_tokens = usage.input_tokens + usage.output_tokens;
        let cost = self.price.map(|price| price.of(usage));
        let spent = Usage { cost, context_tokens, context_size: self.context_size, ..*usage };
        self.usage = self.usage.plus(&spent);
    }

    /// Tokens of the session so far, with this turn's.
    #[must_use]
    pub fn session_usage(&self) -> Usage {
        self.used_before.plus(&self.usage)
    }

    /// Whether somebody wants the history condensed; the wish counts as heard.
    pub fn takes_wish_to_condense(&self) -> bool {
        self.wants_to_condense.swap(false, Ordering::Relaxed)
    }
}
