//! Drives one turn: opens a session, sends the prompt, hands every update to a view, and sees to questions, signals and a reader
//! that goes away. Knows nothing of how a view looks.

use super::question::{self, Name, OnQuestion, Open, Typed, Verdict};
use crate::cli::INTERRUPTED;
use crate::door::client::{Client, ClientError, Heard, Opening, Voice};
use pilotfish_protocol::{Approval, Decision, ItemId, Question, SessionId, SessionUpdate, StopReason};
use std::collections::VecDeque;
use std::future::Future;
use std::io::BufRead;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How often a view may show that time passes.
const TICK: Duration = Duration::from_millis(100);

/// How a driven turn came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// By itself, or somebody interrupted it.
    Ended(StopReason),
    /// A question came up that nobody was there to answer.
    StoppedAtQuestion,
}

/// What shows a turn. An error of its output means that nobody reads it any more.
pub(crate) trait View: Send {
    /// Shows an update.
    fn update(&mut self, update: &SessionUpdate) -> std::io::Result<()>;
    /// Time has passed.
    fn tick(&mut self);
    /// Shows the words of a question, one that ends the run or that is to be answered now.
    fn question(&mut self, words: &str);
}

/// Runs one turn of a new session to its end.
///
/// # Errors
/// When it could not be started, or the daemon went away.
pub(crate) async fn turn(
    client: &Client,
    opening: Opening,
    prompt: String,
    on_question: OnQuestion,
    view: &mut dyn View,
) -> anyhow::Result<Driven> {
    let session = client.open(opening).await?.id;
    client.attach(&session, Some(0)).await?;
    let mut signals = JoinSet::new();
    signals.spawn(obey_signals(client.voice(), session.clone())?);
    client.prompt(&session, prompt).await?;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut is_read, mut stopped) = (true, false);
    let mut asking = Asking::new(session.clone(), Ahead::Dropped);
    loop {
        let heard = tokio::select! {
            heard = client.next() => heard.ok_or(ClientError::Gone)?,
            line = asking.typed() => {
                asking.answer(client, view, line).await?;
                continue;
            }
            _ = tick.tick() => {
                if asking.is_empty() {
                    view.tick();
                }
                continue;
            }
        };
        let update = match heard {
            Heard::Update(update) => update,
            Heard::Notice(notice) => {
                tracing::info!(notice, "the daemon says");
                continue;
            }
        };
        if is_read && let Err(error) = view.update(&update) {
            // Nobody reads any more, so nobody wants the rest.
            tracing::info!(%error, "the output is closed");
            is_read = false;
            client.voice().interrupt(&session).await;
        }
        match question::fold(on_question, &update.update) {
            Verdict::GoOn => {}
            Verdict::Over(_) if stopped => return Ok(Driven::StoppedAtQuestion),
            Verdict::Over(stop) => return Ok(Driven::Ended(stop)),
            Verdict::Stop(open) => {
                view.question(&match &open {
                    Open::Approval(approval) => question::asked(approval),
                    Open::Question(_, question) => question::inquired(question),
                });
                stopped = true;
                client.voice().interrupt(&session).await;
            }
            Verdict::Ask(open) => asking.open(client, view, open).await,
            Verdict::Closed(name) => asking.close(client, view, &name).await,
            Verdict::Answer(approval, decision) => {
                let _ = client.answer(approval, decision, None).await?;
            }
            Verdict::Decline(item) => {
                let _ = client.reply(&session, item, None, None).await?;
            }
        }
    }
}

/// The questions that a person at the terminal is asked, one after the other.
pub(crate) struct Asking {
    session: SessionId,
    ahead: Ahead,
    open: VecDeque<Open>,
    lines: Option<mpsc::Receiver<String>>,
}

/// What becomes of what was typed before a question was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// It is no answer to the question, and nothing else either.
    Dropped,
    /// It is a prompt.
    Kept,
}

impl Asking {
    /// Of a session, and of nothing yet.
    pub(crate) fn new(session: SessionId, ahead: Ahead) -> Self {
        Self { session, ahead, open: VecDeque::new(), lines: None }
    }

    /// The question that is shown.
    pub(crate) fn shown(&self) -> Option<&Open> {
        self.open.front()
    }

    /// Whether nothing is asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a question in, and shows it when it is its turn.
    pub(crate) async fn open(&mut self, client: &Client, view: &mut dyn View, open: Open) {
        self.open.push_back(open);
        if self.open.len() == 1 {
            self.show(client, view).await;
        }
    }

    /// A question is closed, by whomever.
    pub(crate) async fn close(&mut self, client: &Client, view: &mut dyn View, name: &Name) {
        let was_shown = self.open.front().is_some_and(|open| open.name() == *name);
        self.open.retain(|open| open.name() != *name);
        if was_shown {
            view.question("that question is closed: it was answered elsewhere, or its turn was stopped");
            self.show(client, view).await;
        }
    }

    /// The next line that is typed while something is asked. The end of the input is a no to all that is asked.
    async fn typed(&mut self) -> Option<String> {
        if self.open.is_empty() {
            return std::future::pending().await;
        }
        self.lines.get_or_insert_with(typed_lines).recv().await
    }

    /// Answers the question that is shown.
    pub(crate) async fn answer(
        &mut self,
        client: &Client,
        view: &mut dyn View,
        line: Option<String>,
    ) -> Result<(), ClientError> {
        let sent = match self.open.front() {
            None => return Ok(()),
            Some(Open::Approval(approval)) => decide(client, approval, line.as_deref()).await,
            Some(Open::Question(item, question)) => {
                reply(client, &self.session, (item, question), line.as_deref()).await
            }
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(hint) => {
                view.question(hint);
                return Ok(());
            }
        };
        match sent {
            Ok(true) => {
                self.open.pop_front();
                self.show(client, view).await;
            }
            // Its end is on its way.
            Ok(false) => {}
            Err(ClientError::Refused(why)) => view.question(&why),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn show(&self, client: &Client, view: &mut dyn View) {
        let Some(open) = self.open.front() else { return };
        if self.ahead == Ahead::Dropped {
            // Where there is no terminal there is nothing to drop.
            let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        }
        let approval = match open {
            Open::Approval(approval) => approval,
            Open::Question(_, asked) => {
                return view.question(&format!("{}{}", question::inquired(asked), question::replies(asked)));
            }
        };
        let preview = match &approval.rule {
            Some(_) => client.preview(approval.id.clone()).await.ok(),
            None => None,
        };
        view.question(&format!("{}{}", question::asked(approval), question::choices(preview.as_ref())));
    }
}

/// Whether an answer counted; or what would be one.
type Sent = Result<Result<bool, ClientError>, &'static str>;

/// Sends what was typed at a question of policy.
async fn decide(client: &Client, approval: &Approval, line: Option<&str>) -> Sent {
    let (decision, note) = match line.map(|line| question::typed(line, approval)) {
        None => (Decision::Deny, None),
        Some(Typed::Answer(decision, note)) => (decision, note),
        Some(Typed::Unclear(hint)) => return Err(hint),
    };
    Ok(client.answer(approval.id.clone(), decision, note).await)
}

/// Sends what was typed at a question of the model.
async fn reply(client: &Client, session: &SessionId, (item, asked): (&ItemId, &Question), line: Option<&str>) -> Sent {
    let (choice, text) = match line {
        None => (None, None),
        Some(line) => question::replied(line, asked).ok_or("type an answer, or 0 for none")?,
    };
    Ok(client.reply(session, item.clone(), choice, text).await)
}

/// What is typed, line by line.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    // It waits for a person and ends with the program.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The first signal interrupts the turn, whose end is then awaited; the second one leaves at once. Beside the loop, which may be
/// held up by an output that nobody reads.
fn obey_signals(voice: Voice, session: SessionId) -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    Ok(async move {
        next(&mut signals).await;
        voice.interrupt(&session).await;
        next(&mut signals).await;
        leave();
    })
}

async fn next([first, second, third]: &mut [Signal; 3]) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
        _ = third.recv() => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the person insists; the session goes on in the daemon, as when an editor is closed"
)]
fn leave() {
    std::process::exit(i32::from(INTERRUPTED));
}
