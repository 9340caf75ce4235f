//! What the model asks in words: how it opens, how its answer reaches the turn that waits, or the call whose daemon ended first.

use super::Running;
use crate::cx::{ASK, Inquiry, Said};
use crate::session::{RunningTurn, SessionError, Spoken, asked};
use pilotfish_protocol::{Item, ItemContent, ItemId, Question, ToolStatus, Update};
use tokio::sync::oneshot;

/// The longest answer, in bytes: what is longer is a prompt.
const LONGEST: usize = 64 << 10;

impl Running {
    /// Asks the person. In the journal before anybody is asked.
    pub(super) async fn inquire(&mut self, inquiry: Inquiry, answer: oneshot::Sender<Said>) {
        let item = self.item(ItemContent::Question(inquiry.shown()));
        let id = item.id.clone();
        if let Err(error) = self.record(vec![Update::ItemStarted { item }]).await {
            // The turn hears of it as `answer` is dropped, and ends with this for its reason.
            tracing::error!(session = %self.state.session.id, %error, "a question cannot be asked without the journal");
            self.unrecorded = Some(error.to_string());
            return;
        }
        tracing::info!(session = %self.state.session.id, item = %id, "the model asked");
        self.questions.inquiries.insert(id, answer);
        self.begin_to_wait();
    }

    /// Takes an answer. The first one counts; it is in the journal before the turn hears it.
    pub(super) async fn inquired(&mut self, id: &ItemId, spoken: Spoken) -> Result<(), SessionError> {
        self.close_withdrawn().await;
        let open = self.state.inquiries().find(|(item, _)| item.id == *id);
        let Some((item, question)) = open.map(|(item, question)| (item.clone(), question.clone())) else {
            return Err(self.why_silent(id).await);
        };
        let name = asked::id(&self.state.session.id, id);
        if self.turn.as_ref().is_some_and(|turn| turn.cancel.is_cancelled()) {
            return Err(SessionError::NoLongerAsked(name));
        }
        let by = spoken.by.clone();
        let said = said(&question, spoken)?;
        let running = self.may_go_on()?;
        let answered = Question { answer: said.words().map(str::to_owned), ..question };
        let mut updates = vec![Update::ItemEnded { item: Item { content: ItemContent::Question(answered), ..item } }];
        if self.turn.is_none() {
            updates.extend(self.cut_call(&said));
        }
        self.record(updates).await?;
        tracing::info!(session = %self.state.session.id, item = %id, %by, "answered");
        if let Some(answer) = self.questions.inquiries.remove(id) {
            // A turn that was stopped in this moment does nothing with it.
            let _ = answer.send(said);
        }
        self.show_waiting();
        if let Some(running) = running
            && !self.state.is_asking()
        {
            self.go_on_cut(running).await;
        }
        Ok(())
    }

    /// The right to run a turn that was cut, where none runs: it can only go on where turns may begin.
    pub(super) fn may_go_on(&self) -> Result<Option<RunningTurn>, SessionError> {
        if self.turn.is_some() {
            return Ok(None);
        }
        let closing = || SessionError::Closing(self.state.session.id.clone());
        Ok(Some(self.parts.running.begin().ok_or_else(closing)?))
    }

    /// The end of the call that asked, whose daemon ended first: asking has no effect but its answer, so that is what it ends with.
    fn cut_call(&self, said: &Said) -> Option<Update> {
        let mut item = self.state.open.values().find_map(|item| match &item.content {
            ItemContent::ToolCall(call) if call.name == ASK => Some(item.clone()),
            // No other call is ended by an answer in words.
            _ => None,
        })?;
        if let ItemContent::ToolCall(call) = &mut item.content {
            call.status = ToolStatus::Done;
            call.output = said.told();
        }
        Some(Update::ItemEnded { item })
    }

    /// Why this is no open question.
    async fn why_silent(&self, id: &ItemId) -> SessionError {
        let session = self.state.session.id.clone();
        match self.parts.journal.item(&session, id).await {
            Ok(Some((Item { content: ItemContent::Question(question), .. }, _))) => {
                let name = asked::id(&session, id);
                let is_answered = question.answer.is_some();
                if is_answered { SessionError::AlreadyAnswered(name) } else { SessionError::NoLongerAsked(name) }
            }
            Ok(_) => SessionError::NoSuch { session, what: format!("question {id}") },
            Err(error) => error.into(),
        }
    }
}

/// What an answer says to a question.
fn said(question: &Question, spoken: Spoken) -> Result<Said, SessionError> {
    let invalid = |why: String| Err(SessionError::Invalid(why));
    let place = |at: usize| question.choices.get(at).map(|words| Said::Choice { at, words: words.clone() });
    let Spoken { choice, text, by: _ } = spoken;
    match (choice, text.as_deref().map(str::trim)) {
        (None, None) => Ok(Said::Nothing),
        (Some(_), Some(_)) => invalid("the answer is a choice or a text, not both".to_owned()),
        (Some(choice), None) => match usize::try_from(choice).ok().and_then(place) {
            Some(said) => Ok(said),
            None => invalid(format!("there is no choice {choice}; the question has {}", question.choices.len())),
        },
        (None, Some("")) => invalid("the answer is empty; leave it out where nobody answers".to_owned()),
        (None, Some(text)) if text.len() > LONGEST => {
            invalid(format!("the answer is longer than {LONGEST} bytes; say it in a prompt"))
        }
        (None, Some(text)) => {
            let same = question.choices.iter().position(|choice| choice.eq_ignore_ascii_case(text));
            Ok(same.and_then(place).unwrap_or_else(|| Said::Words(text.to_owned())))
        }
    }
}

#[cfg(test)]
mod tests;
