//! `pilotfish attach`: a live session in a terminal, beside the editors that show it. Leaving it stops nothing.

use crate::cli::exec::drive::{Ahead, Asking, View};
use crate::cli::exec::question::{self, OnQuestion, Open, Verdict};
use crate::cli::exec::transcript::Transcript;
use crate::cli::terminal::{Look, Looks, Screen, safe};
use crate::cli::{FAILED, daemon};
use crate::config::Environment;
use crate::door::client::{Client, ClientError, Heard};
use crate::door::shim::Start;
use crate::prompt;
use anyhow::Context;
use pilotfish_protocol::{Item, ItemContent, ItemId, Session, SessionId, SessionUpdate, Update};
use std::collections::HashSet;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;
use tokio::sync::mpsc;

/// Items of the transcript that are shown before what is new.
const SHOWN: u32 = 30;

/// How often a running command's time is shown anew.
const TICK: Duration = Duration::from_millis(100);

/// Follow a live session; lines that are typed are sent to it, the numbers of a question's answers answer it, as does any line what the model asks; Ctrl-C leaves it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session's id, or as much of its beginning as only it has; the latest one of this folder unless given
    session: Option<String>,
}

/// Follows a session until the person leaves.
///
/// # Errors
/// When there is no such session, or the daemon went away.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let client = daemon::client(&environment, Start::IfNeeded).await?;
    let Some(session) = find(&client, args.session.as_deref()).await? else {
        writeln!(std::io::stderr(), "pilotfish attach: there is no such session; `pilotfish sessions` lists them")?;
        return Ok(FAILED);
    };
    let mut page = Page::new(Looks::of(&environment));
    let attached = client.attach(&session.id, None).await?;
    page.in_turn = attached.turn_id.is_some();
    page.begin(&session)?;
    for item in client.items(&session.id, None, SHOWN).await?.items {
        if attached.open_items.iter().all(|open| open.id != item.id) {
            page.show(&session.id, Update::ItemEnded { item })?;
        }
    }
    let mut asking = Asking::new(session.id.clone(), Ahead::Kept);
    let questions: Vec<Open> = attached.open_items.iter().filter_map(Open::of).collect();
    for item in attached.open_items {
        page.show(&session.id, Update::ItemStarted { item })?;
    }
    let approvals = attached.approvals.into_iter().map(|approval| Open::Approval(Box::new(approval)));
    for open in approvals.chain(questions) {
        asking.open(&client, &mut page.transcript, open).await;
    }
    follow(&client, &session.id, &mut page, asking).await
}

async fn follow(client: &Client, session: &SessionId, page: &mut Page, mut asking: Asking) -> anyhow::Result<u8> {
    let mut typed = typed_lines();
    let mut tick = tokio::time::interval(TICK);
    let leave = tokio::signal::ctrl_c();
    tokio::pin!(leave);
    loop {
        tokio::select! {
            heard = client.next() => match heard.ok_or(ClientError::Gone)? {
                Heard::Update(update) => {
                    page.update(&update)?;
                    match question::fold(OnQuestion::Ask, &update.update) {
                        Verdict::Ask(open) => asking.open(client, &mut page.transcript, open).await,
                        Verdict::Closed(name) => asking.close(client, &mut page.transcript, &name).await,
                        // Nothing else is answered here, and no end is ours.
                        _ => {}
                    }
                }
                Heard::Notice(notice) => page.transcript.notice(&notice)?,
            },
            Some(line) = typed.recv() => {
                let answers = asking.shown().is_some_and(|open| match open {
                    Open::Approval(approval) => question::is_answer(&line, approval),
                    // It asks for words, so words answer it.
                    Open::Question(..) => true,
                });
                if answers {
                    asking.answer(client, &mut page.transcript, Some(line)).await?;
                } else {
                    client.prompt(session, line).await?;
                }
            }
            _ = tick.tick(), if page.in_turn && asking.is_empty() => page.transcript.tick(),
            left = &mut leave => {
                left.context("cannot hear Ctrl-C")?;
                return Ok(0);
            }
        }
    }
}

/// The session that is meant: by the beginning of its id, or the latest of the current folder.
#[expect(clippy::disallowed_methods, reason = "the command line is where the current folder is known")]
async fn find(client: &Client, said: Option<&str>) -> anyhow::Result<Option<Session>> {
    let Some(said) = said else {
        let folder = std::env::current_dir().context("there is no current folder")?.display().to_string();
        let first = client.sessions(Some(folder.clone()), None, None, false).await?.sessions.into_iter().next();
        return Ok(first.filter(|session| session.workspace == folder));
    };
    let mut found = Vec::new();
    for archived in [false, true] {
        let mut cursor = None;
        loop {
            let list = client.sessions(None, None, cursor, archived).await?;
            found.extend(list.sessions.into_iter().filter(|session| session.id.0.starts_with(said)));
            cursor = list.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    anyhow::ensure!(found.len() < 2, "{} sessions begin with {said:?}; write more of the id", found.len());
    Ok(found.pop())
}

/// What is typed, line by line, where somebody can type.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    if std::io::stdin().is_terminal() {
        // It waits for a person and ends with the program.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
    }
    lines
}

/// The terminal, turn after turn.
struct Page {
    looks: Looks,
    transcript: Transcript,
    /// Items that were shown whole.
    shown: HashSet<ItemId>,
    /// Whether something is under way whose time can be shown.
    in_turn: bool,
}

impl Page {
    fn new(looks: Looks) -> Self {
        Self { looks, transcript: Transcript::new(Screen::new(looks), None), shown: HashSet::new(), in_turn: false }
    }

    fn begin(&mut self, session: &Session) -> std::io::Result<()> {
        let title = if session.title.is_empty() { "a session without a title" } else { &session.title };
        let facts = format!("{} · {} · {}", session.workspace, session.mode, session.id);
        let (title, facts) = (self.looks.paint(Look::Bold, &safe(title)), self.looks.paint(Look::Dim, &safe(&facts)));
        self.transcript.heading(&format!("{title}\n{facts}\n"))
    }

    fn show(&mut self, session_id: &SessionId, update: Update) -> std::io::Result<()> {
        self.update(&SessionUpdate { session_id: session_id.clone(), seq: None, update })
    }

    fn update(&mut self, update: &SessionUpdate) -> std::io::Result<()> {
        if let Update::ItemEnded { item } = &update.update {
            if !self.shown.insert(item.id.clone()) {
                return Ok(());
            }
            if let Item { content: ItemContent::UserMessage(message), .. } = item {
                let words = safe(&prompt::words(&message.input));
                return self.transcript.heading(&format!("{} {words}\n", self.looks.paint(Look::Cyan, "›")));
            }
        }
        self.transcript.update(update)?;
        self.in_turn |= matches!(update.update, Update::TurnStarted { .. });
        if let Update::TurnEnded { .. } = update.update {
            self.in_turn = false;
            self.transcript = Transcript::new(Screen::new(self.looks), None);
            self.transcript.after_another();
        }
        Ok(())
    }
}
