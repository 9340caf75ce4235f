//! Asking the person something that is no permission, in words and with choices. What follows from the answer is for whoever asks.

use super::{TurnCx, TurnError, TurnEvent};
use crate::text::shown::{shown, shown_line};
use pilotfish_protocol::Question;
use tokio::sync::oneshot;

/// The tool whose calls wait for such an answer: after a restart the answer is its output.
pub const ASK: &str = "ask";

/// What the person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The question.
    pub text: String,
    /// Answers to pick from; any text may be given instead.
    pub choices: Vec<String>,
}

impl Inquiry {
    /// As it is shown, with nothing in it that nobody would see.
    #[must_use]
    pub fn shown(&self) -> Question {
        let choices = self.choices.iter().map(|choice| shown_line(choice).text).collect();
        Question { text: shown(&self.text).text, choices, answer: None }
    }
}

/// What the person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// One of the choices.
    Choice {
        /// Its place among them, from 0.
        at: usize,
        /// Its words.
        words: String,
    },
    /// Something else.
    Words(String),
    /// Nothing: the person declined, or nobody is there who could answer.
    Nothing,
}

impl Said {
    /// The words of the answer, if there is one.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Said::Choice { words, .. } | Said::Words(words) => Some(words),
            Said::Nothing => None,
        }
    }

    /// What the model is told that asked.
    #[must_use]
    pub fn told(&self) -> String {
        match self.words() {
            Some(words) => format!("the person answered: {words}"),
            None => "nobody answered this question, and nobody will; go on with what can be done without the answer, and say in the end \
                     what you assumed"
                .to_owned(),
        }
    }
}

impl TurnCx {
    /// Asks the person and waits as long as the turn does. The question is in the journal before anybody sees it, and is taken back when
    /// this is dropped. When the daemon ends meanwhile the turn is cut here: it begins anew in the next one once there is an answer, which
    /// then stands in the item, and in the output of an [`ASK`] call that waited.
    ///
    /// # Errors
    /// When the turn is interrupted, or cannot go on.
    pub async fn question(&self, text: String, choices: Vec<String>) -> Result<Said, TurnError> {
        if self.cancel.is_cancelled() {
            return Err(TurnError::Interrupted);
        }
        let (answer, answered) = oneshot::channel();
        let asked = TurnEvent::Inquire(Inquiry { text, choices }, answer);
        self.events.send(asked).await.map_err(|_| TurnError::Orphaned)?;
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(TurnError::Interrupted),
            said = answered => said.map_err(|_| TurnError::Orphaned),
        }
    }
}
