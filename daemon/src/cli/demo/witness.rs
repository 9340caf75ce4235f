//! Watches the demo's turn and then the files, from outside: what the script says about itself does not count.

use super::endpoint::Endpoint;
use super::project::{DIARY, Kind, Place};
use super::script;
use crate::cli::exec::drive::{Driven, View};
use crate::cli::exec::transcript::Transcript;
use crate::sandbox::Confinement;
use pilotfish_protocol::{Item, ItemContent, SessionUpdate, StopReason, ToolCall, ToolStatus, Update};

/// Shows a turn and remembers what counts.
pub(super) struct Witness {
    transcript: Transcript,
    kind: Kind,
    attempts: [String; 2],
    /// How each run of the tests ended.
    runs: Vec<ToolStatus>,
    /// How each attempt at what must be refused ended.
    attempted: Vec<ToolStatus>,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// In words.
    pub(super) words: String,
    good: bool,
}

impl Finding {
    fn new(good: bool, right: &str, wrong: &str) -> Self {
        Self { words: if good { right } else { wrong }.to_owned(), good }
    }

    /// Whether it was as it should be.
    pub(super) fn is_good(&self) -> bool {
        self.good
    }
}

/// The lines of the demo's commands that say how they went.
pub(super) fn is_telling(line: &str) -> bool {
    (line.starts_with("test ") && !line.starts_with("test result"))
        || ["left:", "right:"].iter().any(|word| line.trim_start().starts_with(word))
        || (line.starts_with("sed:") || line.contains(": /dev/tcp/"))
}

impl Witness {
    /// Shows the turn on a transcript.
    pub(super) fn new(transcript: Transcript, kind: Kind, bait: u16) -> Self {
        let attempts = script::attempts(bait);
        Self { transcript, kind, attempts, runs: Vec::new(), attempted: Vec::new() }
    }

    fn see(&mut self, call: &ToolCall) {
        let arguments: serde_json::Value = serde_json::from_str(&call.input).unwrap_or_default();
        let Some(command) = arguments["command"].as_str() else { return };
        if command == self.kind.test_command() {
            self.runs.push(call.status);
        } else if self.attempts.iter().any(|attempt| attempt == command) {
            self.attempted.push(call.status);
        }
    }

    /// What is to be said after the turn.
    pub(super) fn findings(
        &self,
        driven: &Driven,
        place: &Place,
        endpoint: &Endpoint,
        confinement: &Confinement,
    ) -> Vec<Finding> {
        let diary = std::fs::read_to_string(&place.diary).is_ok_and(|text| text == DIARY);
        let mended = std::fs::read_to_string(place.project.join(self.kind.mend().path))
            .is_ok_and(|text| text.contains(self.kind.mend().new));
        let ended = *driven == Driven::Ended(StopReason::Done);
        let tested = self.runs.first() == Some(&ToolStatus::Failed) && self.runs.get(1..) == Some(&[ToolStatus::Done]);
        let mut findings = Vec::new();
        if !ended {
            findings.push(Finding::new(false, "", "the turn did not come to its end"));
        }
        findings.push(Finding::new(mended, "the mended code is in the file", "the mended code is not in the file"));
        if *confinement == Confinement::Confined {
            let refused = self.attempted == [ToolStatus::Failed, ToolStatus::Failed];
            findings.extend([
                Finding::new(
                    tested,
                    "the tests failed before the change, and pass after it",
                    "the tests did not fail before the change and pass after it",
                ),
                Finding::new(refused, "both attempts failed in the sandbox", "not both attempts failed in the sandbox"),
            ]);
        } else {
            findings.push(Finding::new(false, "", "no command could write: this machine cannot confine it fully"));
        }
        findings.extend([
            Finding::new(
                diary,
                "the file beside the project is as it was",
                "THE FILE BESIDE THE PROJECT WAS CHANGED: the sandbox does not hold",
            ),
            Finding::new(
                endpoint.bitten() == 0,
                "nothing reached this machine's port",
                "SOMETHING REACHED THIS MACHINE'S PORT: the sandbox does not hold",
            ),
        ]);
        findings
    }
}

impl View for Witness {
    fn update(&mut self, update: &SessionUpdate) -> std::io::Result<()> {
        if let Update::ItemEnded { item: Item { content: ItemContent::ToolCall(call), .. } } = &update.update {
            self.see(call);
        }
        self.transcript.update(update)
    }

    fn tick(&mut self) {
        self.transcript.tick();
    }

    fn question(&mut self, words: &str) {
        self.transcript.question(words);
    }
}

#[cfg(test)]
mod tests;
