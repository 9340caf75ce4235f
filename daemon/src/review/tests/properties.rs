//! What holds whatever is done. Lines of which it matters whose they are, are each written once.

use super::*;
use proptest::prelude::*;

/// Lines from `at`, so many, become so many others.
#[derive(Debug, Clone)]
struct Edit {
    at: usize,
    removed: usize,
    added: usize,
}

#[derive(Debug, Clone)]
enum Step {
    Agent(u8, Edit),
    Person(Edit),
    Propose(u8, Edit),
    Keep(usize),
    KeepLines(u32, u32),
    Unkeep,
    Undo(usize),
    UndoLines(u32, u32),
    Accept(usize),
    Reject(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    (0usize..14, 0usize..4, 0usize..4).prop_map(|(at, removed, added)| Edit { at, removed, added })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4, edit()).prop_map(|(session, edit)| Step::Agent(session, edit)),
        3 => edit().prop_map(Step::Person),
        2 => (0u8..4, edit()).prop_map(|(session, edit)| Step::Propose(session, edit)),
        1 => (0usize..4).prop_map(Step::Keep),
        1 => (0u32..12, 1u32..4).prop_map(|(at, count)| Step::KeepLines(at, count)),
        1 => Just(Step::Unkeep),
        1 => (0usize..4).prop_map(Step::Undo),
        1 => (0u32..12, 1u32..4).prop_map(|(at, count)| Step::UndoLines(at, count)),
        1 => (0usize..4).prop_map(Step::Accept),
        1 => (0usize..4).prop_map(Step::Reject),
    ]
}

/// Bytes of all kinds: line ends of two systems, a byte order mark, no UTF-8, the same line over and over.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line =
        prop::sample::select(vec![&b"a\n"[..], b"b\n", b"\n", b"a\r\n", b"\xff\xfe\n", b"\xef\xbb\xbfc\n", b"}\n"]);
    let end = prop::sample::select(vec![&b""[..], b"a", b"\r", b"\xff"]);
    (prop::collection::vec(line, 0..12), end).prop_map(|(lines, end)| [lines.concat(), end.to_vec()].concat())
}

fn lines_of(content: &Content) -> Vec<Vec<u8>> {
    match content {
        Content::Text(text) => text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
        Content::Absent | Content::Other(_) => Vec::new(),
    }
}

fn edited(content: &Content, edit: &Edit, name: &str) -> Content {
    let mut lines = lines_of(content);
    let at = edit.at.min(lines.len());
    let end = (at + edit.removed).min(lines.len());
    lines.splice(at..end, (0..edit.added).map(|line| format!("{name}.{line}\n").into_bytes()));
    Content::Text(Arc::from(lines.concat()))
}

/// A file of numbered lines.
fn numbered(count: usize) -> Stage {
    Stage::new(text(&(0..count).map(|line| format!("line {line}\n")).collect::<String>()))
}

fn agent(session: u8) -> Source {
    source(&format!("s{}/t{}", session / 2, session))
}

fn id_of(stage: &Stage, number: usize, state: &[HunkState]) -> Option<Selection> {
    let hunks = stage.ledger.hunks(&stage.path, None);
    let fitting: Vec<&Hunk> = hunks.iter().filter(|hunk| state.contains(&hunk.state)).collect();
    let hunk = fitting.get(number % fitting.len().max(1))?;
    Some(Selection { hunks: Some(vec![hunk.id.clone()]), ..Selection::default() })
}

impl Stage {
    fn step(&mut self, number: usize, step: &Step) {
        let name = |who: &str| format!("{who} {number}");
        match step {
            Step::Agent(session, edit) => {
                let after = edited(&self.disk, edit, &name("agent"));
                self.becomes(after, &Author::Agent(agent(*session)));
            }
            Step::Person(edit) => {
                let after = edited(&self.disk, edit, &name("person"));
                self.becomes(after, &Author::Person);
            }
            Step::Propose(session, edit) => {
                let source = agent(*session);
                let seen = self.ledger.seen_by(&source.session, &self.path).unwrap_or_else(|| self.disk.clone());
                self.ledger.propose(&self.path, &self.disk, &edited(&seen, edit, &name("proposal")), &source);
            }
            Step::Keep(index) => {
                if let Some(selection) = id_of(self, *index, &[HunkState::Applied]) {
                    self.ledger.keep(&selection).expect("it is there");
                }
            }
            Step::KeepLines(at, count) => drop(self.ledger.keep(&super::at(*at..at + count)).expect("no id")),
            Step::Unkeep => drop(self.ledger.unkeep(&all()).expect("no id")),
            Step::Undo(index) => {
                if let Some(selection) = id_of(self, *index, &[HunkState::Applied]) {
                    let writes = self.ledger.undo(&selection).expect("it is there");
                    self.write(&writes);
                }
            }
            Step::UndoLines(at, count) => {
                let writes = self.ledger.undo(&super::at(*at..at + count)).expect("no id");
                self.write(&writes);
            }
            Step::Accept(index) => {
                if let Some(selection) = id_of(self, *index, &[HunkState::Proposed]) {
                    let writes = self.ledger.accept(&selection).expect("it fits");
                    self.write(&writes);
                }
            }
            Step::Reject(index) => {
                if let Some(selection) = id_of(self, *index, &[HunkState::Proposed, HunkState::Conflict]) {
                    self.ledger.reject(&selection).expect("it is there");
                }
            }
        }
    }

    /// The hunks lead from the text below to the text, and to what each session sees.
    fn check_hunks(&self) -> Result<(), TestCaseError> {
        let Some(base) = self.ledger.base(&self.path) else {
            prop_assert!(self.ledger.hunks(&self.path, None).is_empty());
            return Ok(());
        };
        let hunks = self.ledger.hunks(&self.path, None);
        let ids: std::collections::BTreeSet<&HunkId> = hunks.iter().map(|hunk| &hunk.id).collect();
        prop_assert_eq!(ids.len(), hunks.len());
        let applied: Vec<&Hunk> = hunks.iter().filter(|hunk| hunk.state == HunkState::Applied).collect();
        prop_assert_eq!(put(&base, &applied), lines_of(&self.disk).concat());
        prop_assert!(applied.iter().all(|hunk| hunk.old_text != hunk.new_text || hunk.old_text.is_empty()));
        for path in self.ledger.files.values() {
            for proposal in &path.proposals {
                let own = |hunk: &&Hunk| hunk.state == HunkState::Proposed && hunk.session_id == proposal.session;
                let proposed: Vec<&Hunk> = hunks.iter().filter(own).collect();
                prop_assert_eq!(put(&self.disk, &proposed), lines_of(proposal.view.now()).concat());
            }
        }
        Ok(())
    }
}

/// Puts new lines in place of the old ones, as a reader of the protocol would.
fn put(below: &Content, hunks: &[&Hunk]) -> Vec<u8> {
    let lines = lines_of(below);
    let mut text = Vec::new();
    let mut at = 0;
    for hunk in hunks {
        let old = hunk.old_range.start as usize..hunk.old_range.end as usize;
        text.extend(lines[at..old.start].concat());
        assert_eq!(String::from_utf8_lossy(&lines[old.clone()].concat()), hunk.old_text);
        assert_eq!(String::from_utf8_lossy(&text).split_inclusive('\n').count(), hunk.new_range.start as usize);
        text.extend(hunk.new_text.as_bytes());
        at = old.end;
    }
    text.extend(lines[at..].concat());
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hunks_lead_from_below_to_now_whatever_happens(steps in prop::collection::vec(step(), 1..24)) {
        let mut stage = numbered(10);
        for (number, step) in steps.iter().enumerate() {
            stage.step(number, step);
            stage.check_hunks()?;
        }
    }

    #[test]
    fn no_decision_takes_a_line_that_is_not_the_agents(steps in prop::collection::vec(step(), 1..24)) {
        let mut stage = numbered(8);
        for (number, step) in steps.iter().enumerate() {
            let before = lines_of(&stage.disk);
            stage.step(number, step);
            let after = lines_of(&stage.disk);
            if matches!(step, Step::Keep(_) | Step::KeepLines(..) | Step::Unkeep | Step::Undo(_) | Step::UndoLines(..)) {
                for line in before.iter().filter(|line| line.starts_with(b"person")) {
                    prop_assert!(after.contains(line), "{} is gone", String::from_utf8_lossy(line));
                }
            }
        }
    }

    #[test]
    fn undoing_all_restores_the_bytes(base in bytes(), texts in prop::collection::vec((0u8..6, bytes()), 1..5)) {
        let base = Content::Text(Arc::from(base));
        let mut stage = Stage::new(base.clone());
        for (session, text) in texts {
            stage.becomes(Content::Text(Arc::from(text)), &Author::Agent(agent(session)));
            if let Some(below) = stage.ledger.base(&stage.path) {
                prop_assert_eq!(below, base.clone());
            }
        }
        let writes = stage.ledger.undo(&all()).expect("no id");
        stage.write(&writes);
        prop_assert_eq!(&stage.disk, &base);
        prop_assert_eq!(stage.ledger.paths().count(), 0);
    }

    #[test]
    fn any_bytes_can_be_reviewed(base in bytes(), texts in prop::collection::vec((0u8..9, bytes()), 1..8)) {
        let mut stage = Stage::new(Content::Text(Arc::from(base)));
        for (author, text) in texts {
            let author = if author < 6 { Author::Agent(agent(author)) } else { Author::Person };
            stage.becomes(Content::Text(Arc::from(text)), &author);
            let lines = |content: &Content| lines_of(content).len() as u32;
            let (now, base) = (lines(&stage.disk), stage.ledger.base(&stage.path).as_ref().map(lines));
            for hunk in stage.ledger.hunks(&stage.path, None) {
                prop_assert!(hunk.new_range.end <= now && Some(hunk.old_range.end) <= base);
            }
        }
        let writes = stage.ledger.undo(&all()).expect("no id");
        stage.write(&writes);
        prop_assert_eq!(stage.ledger.paths().count(), 0);
    }

    #[test]
    fn an_editors_revert_resolves_what_it_reverts(base in bytes(), first in bytes(), added in 1usize..4) {
        let mut stage = Stage::new(Content::Text(Arc::from(base)));
        let first = [&first[..], b"\n"].concat();
        stage.becomes(Content::Text(Arc::from(first)), &Author::Agent(agent(0)));
        let (before, hunks) = (stage.disk.clone(), stage.ledger.hunks(&stage.path, None));
        // Another session's lines below all others.
        let edit = Edit { at: usize::MAX, removed: 0, added };
        stage.becomes(edited(&before, &edit, "later"), &Author::Agent(agent(2)));
        stage.becomes(before, &Author::Person);
        prop_assert_eq!(stage.ledger.hunks(&stage.path, None), hunks);
    }

    #[test]
    fn keep_and_undo_in_any_order_end_in_the_text_they_say(
        base in bytes(), text in bytes(), order in prop::collection::vec((any::<u16>(), any::<bool>()), 16)
    ) {
        let mut stage = Stage::new(Content::Text(Arc::from(base.clone())));
        stage.becomes(Content::Text(Arc::from(text.clone())), &Author::Agent(agent(0)));
        let hunks = stage.ledger.hunks(&stage.path, None);
        let (old, new) = (lines_of(&Content::Text(Arc::from(base))), lines_of(&stage.disk));
        let mut model = Vec::new();
        let mut at = 0;
        let mut decided: Vec<(u16, bool, HunkId)> = Vec::new();
        for (hunk, (rank, keeps)) in hunks.iter().zip(order) {
            let range = |range: pilotfish_protocol::LineRange| range.start as usize..range.end as usize;
            model.extend(old[at..range(hunk.old_range).start].concat());
            let lines = if keeps { &new[range(hunk.new_range)] } else { &old[range(hunk.old_range)] };
            model.extend(lines.concat());
            at = range(hunk.old_range).end;
            decided.push((rank, keeps, hunk.id.clone()));
        }
        model.extend(old[at..].concat());
        decided.sort();
        for (_, keeps, id) in decided {
            let selection = Selection { hunks: Some(vec![id]), ..all() };
            if keeps {
                stage.ledger.keep(&selection).expect("it is there");
            } else {
                let writes = stage.ledger.undo(&selection).expect("it is there");
                stage.write(&writes);
            }
        }
        prop_assert_eq!(lines_of(&stage.disk).concat(), model);
    }

    #[test]
    fn an_id_survives_every_edit_outside_its_hunk(
        edits in prop::collection::vec(edit(), 1..4), others in prop::collection::vec((any::<bool>(), edit()), 1..8), chosen in any::<u8>()
    ) {
        let mut stage = numbered(14);
        for (number, edit) in edits.iter().enumerate() {
            stage.step(number, &Step::Agent(0, edit.clone()));
        }
        let hunks = stage.ledger.hunks(&stage.path, None);
        prop_assume!(!hunks.is_empty());
        let hunk = &hunks[usize::from(chosen) % hunks.len()];
        for (number, (is_person, edit)) in others.iter().enumerate() {
            let now = stage.ledger.hunks(&stage.path, None).into_iter().find(|now| now.id == hunk.id);
            let now = now.expect("it survived so far");
            let at = edit.at.min(lines_of(&stage.disk).len()) as u32;
            let place = at..at + edit.removed as u32;
            let range = now.new_range.start..now.new_range.end;
            let touches = place.start <= range.end && range.start <= place.end;
            if lines::overlap(&place, &range) || (range.is_empty() && touches) {
                continue;
            }
            let step = if *is_person { Step::Person(edit.clone()) } else { Step::Agent(2, edit.clone()) };
            stage.step(100 + number, &step);
            let after = stage.ledger.hunks(&stage.path, None).into_iter().find(|after| after.id == hunk.id);
            let after = after.map(|after| (after.old_text, after.new_text));
            prop_assert_eq!(after, Some((hunk.old_text.clone(), hunk.new_text.clone())));
        }
    }

    #[test]
    fn undoing_one_sessions_hunks_leaves_the_others(steps in prop::collection::vec((0u8..4, edit()), 1..10)) {
        let mut stage = numbered(10);
        for (number, (session, edit)) in steps.iter().enumerate() {
            stage.step(number, &Step::Agent(*session, edit.clone()));
        }
        let others = |stage: &Stage| {
            let hunks = stage.ledger.hunks(&stage.path, None).into_iter().filter(|hunk| hunk.session_id == "s1".into());
            hunks.map(|hunk| (hunk.id, hunk.old_text, hunk.new_text, hunk.turn_id)).collect::<Vec<_>>()
        };
        let before = others(&stage);
        let writes = stage.ledger.undo(&session("s0")).expect("no id");
        stage.write(&writes);
        prop_assert_eq!(others(&stage), before);
        stage.check_hunks()?;
    }

    #[test]
    fn what_is_saved_comes_back(steps in prop::collection::vec(step(), 1..16)) {
        let mut stage = numbered(10);
        for (number, step) in steps.iter().enumerate() {
            stage.step(number, step);
        }
        let Some(saved) = stage.ledger.save(&stage.path) else { return Ok(()) };
        let mut other = ledger();
        other.load(&stage.path, &saved).expect("as it was saved");
        prop_assert_eq!(&other.files, &stage.ledger.files);
        prop_assert_eq!(other.hunks(&stage.path, None), stage.ledger.hunks(&stage.path, None));
    }

    #[test]
    fn a_keep_that_is_taken_back_never_was(steps in prop::collection::vec(step(), 1..12), lines in prop::option::of((0u32..12, 1u32..4))) {
        let mut stage = numbered(10);
        for (number, step) in steps.iter().enumerate() {
            stage.step(number, step);
        }
        stage.ledger.unkeep(&all()).expect("no id");
        let before = stage.ledger.files.clone();
        let selection = Selection { lines: lines.map(|(at, count)| at..at + count), ..all() };
        stage.ledger.keep(&selection).expect("no id");
        stage.ledger.unkeep(&all()).expect("no id");
        prop_assert_eq!(&stage.ledger.files, &before);
    }
}
