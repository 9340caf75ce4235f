//! The history on its way into a request, whichever model it was made with: every call answered, ids that the next provider takes.
//! Leaves alone what is in order, so that equal histories stay equal. Pure.

use crate::model::{Call, Message};
use std::borrow::Cow;
use std::collections::HashSet;

/// What a call is answered with whose output is not in the history.
const NO_OUTPUT: &str = "the outcome of this call is not known";

/// The history with one output behind each call and none elsewhere, since providers refuse all of a history for one that is missing.
pub(super) fn answered(messages: &[Message]) -> Cow<'_, [Message]> {
    if is_answered(messages) {
        return Cow::Borrowed(messages);
    }
    let mut sound = Vec::with_capacity(messages.len() + 1);
    let mut open: Vec<String> = Vec::new();
    let mut called = HashSet::new();
    for message in messages {
        match message {
            Message::Call(Call { call_id, .. }) => {
                if called.insert(call_id.as_str()) {
                    open.push(call_id.clone());
                    sound.push(message.clone());
                }
            }
            Message::Output { call_id, .. } => {
                if let Some(at) = open.iter().position(|open| open == call_id) {
                    open.remove(at);
                    sound.push(message.clone());
                }
            }
            Message::User(_) | Message::Agent(_) | Message::Reasoning { .. } => {
                close(&mut open, &mut sound);
                sound.push(message.clone());
            }
        }
    }
    close(&mut open, &mut sound);
    Cow::Owned(sound)
}

/// Answers the calls that nothing answers.
fn close(open: &mut Vec<String>, sound: &mut Vec<Message>) {
    sound.extend(open.drain(..).map(|call_id| Message::Output { call_id, text: NO_OUTPUT.to_owned() }));
}

/// Whether nothing has to be mended: most often, and found out without a copy.
fn is_answered(messages: &[Message]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut called = HashSet::new();
    messages.iter().all(|message| match message {
        Message::Call(call) => {
            open.push(&call.call_id);
            called.insert(&call.call_id)
        }
        Message::Output { call_id, .. } => match open.iter().position(|open| open == call_id) {
            Some(at) => {
                open.remove(at);
                true
            }
            None => false,
        },
        Message::User(_) | Message::Agent(_) | Message::Reasoning { .. } => open.is_empty(),
    }) && open.is_empty()
}

/// Which ids of calls a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// Up to 64 bytes of anything: OpenAI. Its imitators want their own ids back as they were, marks and all.
    Short,
    /// Letters, digits, `_` and `-`, up to 64 of them: Anthropic.
    Plain,
}

/// A call's id as a provider takes it; the same id always becomes the same one.
pub(super) fn fitting(id: &str, ids: Ids) -> Cow<'_, str> {
    const LONGEST: usize = 64;
    let is_plain = |mark: char| mark.is_ascii_alphanumeric() || mark == '_' || mark == '-';
    if !id.is_empty() && id.len() <= LONGEST && (ids == Ids::Short || id.chars().all(is_plain)) {
        return Cow::Borrowed(id);
    }
    // The sum keeps apart what becomes equal here.
    let mut fitting: String =
        id.chars().map(|mark| if is_plain(mark) { mark } else { '_' }).take(LONGEST - 17).collect();
    fitting.push_str(&format!("_{:016x}", sum(id)));
    Cow::Owned(fitting)
}

/// FNV-1a, 64 bits.
fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
