//! `plan`: the model's own list of steps.

use super::Output;
use crate::model::ToolSpec;
use pilotfish_protocol::{Plan, PlanStep, StepStatus};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    steps: Vec<PlanStep>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "plan",
        description: "Keeps the list of steps that the person sees. Send the whole list each time; one step in_progress at a time.",
        parameters: json!({
            "type": "object",
            "properties": {
                "steps": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "step": {"type": "string"},
                            "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]}
                        },
                        "required": ["step", "status"]
                    }
                }
            },
            "required": ["steps"]
        }),
        grammar: None,
    }
}

pub(super) fn run(args: Args) -> Output {
    let done = args.steps.iter().filter(|step| step.status == StepStatus::Completed).count();
    let text = format!("plan kept: {done} of {} steps completed", args.steps.len());
    Output { plan: Some(Plan { steps: args.steps }), ..Output::done(text) }
}
