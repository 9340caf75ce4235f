//! What goes on in a session beside its turns: commands in the background, what they say, and how their ends are told.

use super::Running;
use super::questions::Asker;
use crate::cx::{self, Launch, TurnEvent};
use crate::session::SessionError;
use crate::session::commands::Happened;
use pilotfish_protocol::{Audience, CommandId, Decision, ItemContent, Notice, Update};
use tokio::sync::oneshot;

/// What a command is told that asks while nobody can answer.
const NO_TURN: &str = "nobody is asked while no turn runs; run it with shell, which waits for an answer";

impl Running {
    /// Takes what commands did.
    pub(super) async fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Said(event) => self.said_beside(event).await,
            Happened::More(commands) => {
                for command in commands {
                    self.show(Update::CommandChanged { command });
                }
            }
            Happened::Ended(command, end) => {
                tracing::info!(session = %self.state.session.id, command = %command.id(), status = end.status, "a command ended");
                let told = command.end(end);
                self.show(Update::CommandChanged { command: command.info() });
                if let Some(text) = told {
                    let item = self.item(ItemContent::Notice(Notice { text, audience: Audience::Model }));
                    if let Err(error) = self.steer_with(item).await {
                        tracing::error!(session = %self.state.session.id, %error, "the model is not told of the end of a command");
                    }
                }
            }
        }
    }

    async fn said_beside(&mut self, event: TurnEvent) {
        match event {
            TurnEvent::Record(updates, done) => {
                self.record_or_log(updates).await;
                // A command that was dropped does not care.
                let _ = done.send(());
            }
            TurnEvent::Show(update) => self.show(*update),
            TurnEvent::Ask(question, answer) => {
                if self.turn.as_ref().is_some_and(|turn| !turn.cancel.is_cancelled()) {
                    self.ask(*question, answer, Asker::Command).await;
                } else {
                    refuse(answer);
                }
            }
            // Commands do none of these: dropped, they are told so.
            TurnEvent::Inquire(..) | TurnEvent::Launch(..) | TurnEvent::Commands(_) => {}
        }
    }

    /// Lets a command begin.
    pub(super) fn launch_command(&mut self, launch: Launch) -> Result<cx::Background, String> {
        let session = self.state.session.id.clone();
        let command = self.commands.launch(launch, session, self.parts.clock.now())?;
        tracing::info!(session = %self.state.session.id, command = %command.id(), "a command began");
        self.show(Update::CommandChanged { command: command.info() });
        Ok(command)
    }

    /// One of the commands.
    pub(super) fn command(&self, id: &CommandId) -> Result<cx::Background, SessionError> {
        let session = self.state.session.id.clone();
        let missing = || SessionError::NoSuch { session, what: format!("command {id}") };
        self.commands.get(id).cloned().ok_or_else(missing)
    }

    /// Ends what commands ask: no turn runs any more, and no question outlives one.
    pub(super) async fn silence_commands(&mut self) {
        let asked = self.questions.of_commands();
        if asked.is_empty() {
            return;
        }
        let mut updates = Vec::new();
        for (id, answer) in asked {
            updates.extend(self.unanswered(&id));
            refuse(answer);
        }
        self.record_or_log(updates).await;
        self.show_waiting();
    }

    /// Stops all commands and waits for their ends, which are recorded like others.
    pub(super) async fn end_commands(&mut self) {
        self.commands.stop_all();
        while self.commands.is_running() {
            let happened = self.commands.next().await;
            self.happened(happened).await;
        }
        self.close_withdrawn().await;
    }
}

fn refuse(answer: oneshot::Sender<cx::Answer>) {
    // A command that ended meanwhile needs no answer.
    let _ = answer.send(cx::Answer { decision: Decision::Deny, note: Some(NO_TURN.to_owned()), remembered: true });
}
