//! `ask`: a question to the person, whose answer is the output.

use super::Output;
use crate::cx::{ASK, TurnCx};
use crate::model::ToolSpec;
use crate::text::excerpt::printable;
use pilotfish_protocol::ToolStatus;
use serde::Deserialize;
use serde_json::json;

/// The most choices that can be offered.
const CHOICES: usize = 6;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    question: String,
    #[serde(default)]
    choices: Vec<String>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: ASK,
        description: "Asks the person one question and waits for the answer. Only for what you cannot find out or decide yourself.",
        parameters: json!({
            "type": "object",
            "properties": {
                "question": {"type": "string"},
                "choices": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "up to 6 short answers to pick from; any other text may be answered instead"
                }
            },
            "required": ["question"]
        }),
        grammar: None,
    }
}

pub(super) fn title(args: &Args) -> String {
    format!("ask {}", printable(args.question.trim().lines().next().unwrap_or_default().as_bytes()))
}

pub(super) async fn run(cx: &TurnCx, args: Args) -> Output {
    let question = args.question.trim().to_owned();
    let mut choices: Vec<String> = Vec::new();
    for choice in args.choices.iter().map(|choice| choice.trim()).filter(|choice| !choice.is_empty()) {
        if !choices.iter().any(|known| known == choice) {
            choices.push(choice.to_owned());
        }
    }
    if question.is_empty() {
        return Output::failed("ask: `question` is empty");
    }
    if choices.len() > CHOICES {
        return Output::failed(format!("ask: `choices` has {} answers; offer at most {CHOICES}", choices.len()));
    }
    match cx.question(question, choices).await {
        Ok(said) => Output::done(said.told()),
        Err(error) => Output { status: ToolStatus::Interrupted, ..Output::failed(format!("not answered: {error}")) },
    }
}
