//! Kills: under load the daemon is killed at a random moment, again and again. What its clients saw as durable, and what it had
//! acknowledged, must be there afterwards, in order, once; and no file may be torn.

use super::editor::{Editor, Heard};
use super::process::Process;
use super::seen::{Faults, Seen, replay};
use super::{Rig, last_prompt};
use crate::fake_model::{Step, answer};
use crate::mutate::Dice;
use anyhow::Context;
use pilotfish_protocol::{
    Attached, Done, InputPart, Item, ItemContent, ItemId, Mode, SessionId, SessionUpdate, TurnId, Update,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Kills that one session lives through; its whole history is read after each.
const LIVES: usize = 10;

/// The most updates and answers that are heard before a kill.
const HEARD: usize = 150;

/// The most ends of turns and changes of what waits that are heard before a kill that aims at those: more is written at these moments
/// than at others.
const TURNS: usize = 6;

/// The most turns of an empty loop between that and the kill: some hundred microseconds, which is what an append takes.
const SPINS: usize = 200_000;

/// The most prompts that wait for the model.
const WAITING: usize = 3;

/// Lines of the file that the agent writes, all of them the same.
const LINES: usize = 200;

/// How many are told in full.
const TOLD: usize = 20;

/// How often, and from which seed on.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Kills.
    pub kills: usize,
    /// What the moments are rolled from.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// Durable updates that clients saw.
    pub updates: usize,
    /// Prompts that were acknowledged.
    pub prompts: usize,
    /// What is wrong with updates and prompts.
    pub faults: Faults,
    /// Drafts and modes that were acknowledged and are not there.
    pub forgotten: usize,
    /// Times at which the written file was neither old nor new.
    pub torn: usize,
    /// Files that writing left behind.
    pub left_behind: usize,
    /// The first faults, in words.
    pub told: Vec<String>,
}

/// Kills the daemon so many times, and looks after each.
///
/// # Errors
/// When something else goes wrong than what is counted.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let rig = Rig::lay(rule).await;
    rig.desk.write("project/ledger.txt", &ledger("begin", 0));
    let (mut dice, mut figures) = (Dice(size.seed), Figures::default());
    let mut story: Option<Story> = None;
    for kill in 0..=size.kills {
        let shim = || Editor::through(rig.desk.pilotfish(&["lsp", "--stdio"]));
        let (mut first, mut second) = tokio::try_join!(shim(), shim())?;
        if let Some(story) = &mut story {
            story.go_on(&mut first, &mut second).await?;
            story.audit(&rig, &mut figures).await?;
            look_at_files(&rig.desk.path("project"), &mut figures);
        }
        if kill == size.kills {
            break;
        }
        if kill % LIVES == 0 {
            story.take().into_iter().for_each(|story| story.count(&mut figures));
            story = Some(Story::begin(&rig, &mut first, &mut second).await?);
        }
        let story = story.as_mut().context("it began")?;
        story.live(&mut dice, &mut first, &mut second, rig.process().await?).await?;
    }
    story.into_iter().for_each(|story| story.count(&mut figures));
    Ok(figures)
}

/// Small steps of every kind: words, a thought, a file read, a file written. Every other prompt is answered at once.
fn rule(request: &Value) -> Step {
    let (prompt, answered) = last_prompt(request);
    match answered {
        _ if prompt.ends_with("short") => answer().deltas(4, "yes "),
        0 => answer().thinks("hm").deltas(8, "word ").calls("read", json!({"path": "notes.txt"})),
        1 | 2 => {
            let content = ledger(prompt, answered);
            answer().deltas(4, "so ").calls("write", json!({"path": "ledger.txt", "content": content}))
        }
        3 => answer().calls("list", json!({"path": "."})).calls("read", json!({"path": "nowhere"})),
        _ => answer().deltas(6, "done "),
    }
}

fn ledger(prompt: &str, step: usize) -> String {
    format!("{prompt}, step {step}\n").repeat(LINES)
}

fn look_at_files(project: &Path, figures: &mut Figures) {
    let text = std::fs::read_to_string(project.join("ledger.txt")).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    figures.torn += usize::from(text.lines().count() != LINES || text.lines().any(|line| line != first));
    let names = std::fs::read_dir(project).into_iter().flatten().flatten().map(|entry| entry.file_name());
    figures.left_behind = names.filter(|name| name.to_string_lossy().starts_with('.')).count();
}

/// One session from its opening on, through several lives of the daemon, as two clients know it.
struct Story {
    session: SessionId,
    /// What each client saw.
    seen: [Seen; 2],
    /// What was asked of this daemon and is not answered, by client and id.
    asked: HashMap<(usize, i64), Asked>,
    /// Every prompt that was sent, and whether it was acknowledged.
    prompts: BTreeMap<String, bool>,
    draft: Latest<String>,
    mode: Latest<Mode>,
    /// Prompts that were sent and whose turns have not ended.
    waiting: usize,
    /// What the last audit found: everything since the session's opening.
    faults: Faults,
}

enum Asked {
    Prompt(String),
    Draft(usize),
    Mode(usize),
    Attach,
}

/// When the daemon is killed.
enum Moment {
    /// After so much was heard.
    Heard(usize),
    /// After so many turns ended or prompts were put to wait or taken from there.
    Turned(usize),
}

impl Moment {
    fn roll(dice: &mut Dice) -> Self {
        if dice.roll(3) > 0 { Self::Heard(dice.roll(HEARD)) } else { Self::Turned(dice.roll(TURNS)) }
    }

    /// Whether this is it.
    fn has_come(&mut self, heard: &Heard) -> bool {
        let (left, counts) = match self {
            Self::Heard(left) => (left, true),
            Self::Turned(left) => (left, matches!(heard, Heard::Update(update) if is_turn(&update.update))),
        };
        let has_come = counts && *left == 0;
        *left = left.saturating_sub(usize::from(counts));
        has_come
    }
}

fn is_turn(update: &Update) -> bool {
    matches!(update, Update::TurnEnded { .. } | Update::QueueChanged { .. })
}

/// What was asked to become of something, in order; what was acknowledged last holds, or anything that was sent later.
struct Latest<T> {
    sent: Vec<T>,
    acknowledged: usize,
}

impl<T: PartialEq> Latest<T> {
    fn new(value: T) -> Self {
        Self { sent: vec![value], acknowledged: 0 }
    }

    fn send(&mut self, value: T) -> usize {
        self.sent.push(value);
        self.sent.len() - 1
    }

    /// Says whether it may be so now; from now on that is what is known.
    fn settle(&mut self, value: T) -> bool {
        let may_be = self.sent.get(self.acknowledged..).is_some_and(|sent| sent.contains(&value));
        *self = Self::new(value);
        may_be
    }
}

impl Story {
    async fn begin(rig: &Rig, first: &mut Editor, second: &mut Editor) -> anyhow::Result<Self> {
        let session = first.open(rig.opening()).await?;
        let mut story = Self {
            session,
            seen: Default::default(),
            asked: HashMap::new(),
            prompts: BTreeMap::new(),
            draft: Latest::new(String::new()),
            mode: Latest::new(Mode::Agent),
            waiting: 0,
            faults: Faults::default(),
        };
        story.go_on(first, second).await?;
        Ok(story)
    }

    /// Both clients attach behind what they saw.
    async fn go_on(&mut self, first: &mut Editor, second: &mut Editor) -> anyhow::Result<()> {
        self.asked.clear();
        for (editor, seen) in [first, second].into_iter().zip(&self.seen) {
            editor.attach(&self.session, Some(seen.seq())).await?;
        }
        Ok(())
    }

    /// Works until the rolled moment, kills, and hears what was said until then.
    async fn live(
        &mut self,
        dice: &mut Dice,
        first: &mut Editor,
        second: &mut Editor,
        daemon: Process,
    ) -> anyhow::Result<()> {
        self.waiting = 0;
        self.prompt(0, first).await?;
        let mut moment = Moment::roll(dice);
        loop {
            let (client, heard) = tokio::select! {
                heard = first.next() => (0, heard?),
                heard = second.next() => (1, heard?),
            };
            let heard = heard.context("the daemon went away by itself")?;
            let has_come = moment.has_come(&heard);
            self.hear(client, heard)?;
            if has_come {
                break;
            }
            match dice.roll(16) {
                0 => self.draft(second, dice.roll(1000)).await?,
                1 => self.switch(second).await?,
                2 => self.attach_anew(second).await?,
                3..6 if self.waiting < WAITING => self.prompt(1, second).await?,
                _ if self.waiting == 0 => self.prompt(0, first).await?,
                _ => {}
            }
        }
        for _ in 0..dice.roll(SPINS) {
            std::hint::spin_loop();
        }
        daemon.kill();
        for (client, editor) in [first, second].into_iter().enumerate() {
            while let Some(heard) = editor.next().await? {
                self.hear(client, heard)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, client: usize, heard: Heard) -> anyhow::Result<()> {
        match heard {
            // Of the session before this one, to which its last audit made them attach.
            Heard::Update(update) if update.session_id != self.session => {}
            Heard::Update(update) => {
                let is_over = matches!(update.update, Update::TurnEnded { .. });
                self.waiting = self.waiting.saturating_sub(usize::from(is_over && client == 0));
                self.seen.get_mut(client).context("there are two")?.see(&update);
            }
            Heard::Answer(id, answer) => {
                answer.map_err(|error| anyhow::anyhow!("refused: {error}"))?;
                match self.asked.remove(&(client, id)).context("an answer to nothing")? {
                    Asked::Prompt(words) => drop(self.prompts.insert(words, true)),
                    Asked::Draft(place) => self.draft.acknowledged = place,
                    Asked::Mode(place) => self.mode.acknowledged = place,
                    Asked::Attach => {}
                }
            }
            Heard::Else => {}
        }
        Ok(())
    }

    async fn prompt(&mut self, client: usize, editor: &mut Editor) -> anyhow::Result<()> {
        let length = if self.prompts.len().is_multiple_of(2) { "long" } else { "short" };
        let words = format!("prompt {} of {client}, {length}", self.prompts.len());
        let input = [InputPart::Text { text: words.clone() }];
        let id = editor.ask("session/prompt", json!({"sessionId": self.session, "input": input})).await?;
        self.prompts.insert(words.clone(), false);
        self.asked.insert((client, id), Asked::Prompt(words));
        self.waiting += 1;
        Ok(())
    }

    /// The second client alone drafts and switches: whose word is the last between two is not said.
    async fn draft(&mut self, second: &mut Editor, number: usize) -> anyhow::Result<()> {
        let text = format!("draft {number}");
        let id = second.ask("session/draft", json!({"sessionId": self.session, "text": text})).await?;
        self.asked.insert((1, id), Asked::Draft(self.draft.send(text)));
        Ok(())
    }

    /// Leaves and comes back while the session goes on.
    async fn attach_anew(&mut self, second: &mut Editor) -> anyhow::Result<()> {
        second.request::<Done>("session/detach", json!({"sessionId": self.session})).await?;
        while second.has_kept() {
            let heard = second.next().await?.context("it is kept")?;
            self.hear(1, heard)?;
        }
        let [_, seen] = &self.seen;
        let id = second.ask("session/attach", json!({"sessionId": self.session, "afterSeq": seen.seq()})).await?;
        self.asked.insert((1, id), Asked::Attach);
        Ok(())
    }

    async fn switch(&mut self, second: &mut Editor) -> anyhow::Result<()> {
        let mode = match self.mode.sent.last() {
            Some(Mode::Agent) => Mode::ReadOnly,
            Some(Mode::ReadOnly) | None => Mode::Agent,
        };
        let id = second.ask("session/setMode", json!({"sessionId": self.session, "mode": mode})).await?;
        self.asked.insert((1, id), Asked::Mode(self.mode.send(mode)));
        Ok(())
    }

    /// Reads the session anew, as a client that never saw it, and compares.
    async fn audit(&mut self, rig: &Rig, figures: &mut Figures) -> anyhow::Result<()> {
        let mut auditor = rig.editor().await?;
        let (attached, updates) = replay(&mut auditor, &self.session).await?;
        let mut whole = Seen::default();
        updates.iter().for_each(|update| whole.see(update));
        let mut told = Vec::new();
        let mut faults = whole.faults(&whole);
        for seen in &self.seen {
            faults = faults.and(seen.faults(&whole));
        }
        if faults != Faults::default() {
            told.push(format!("what was seen and what is journaled: {faults:?}"));
        }
        let counted = Counted::of(&attached, &updates);
        faults = faults.and(counted.faults(&attached, &self.prompts, &mut told));
        if std::mem::replace(&mut self.faults, faults) == faults {
            // All of it was told before.
            told.clear();
        }
        if !self.draft.settle(attached.draft) {
            figures.forgotten += 1;
            told.push("a draft was acknowledged and is not there".to_owned());
        }
        if !self.mode.settle(attached.session.mode) {
            figures.forgotten += 1;
            told.push("a mode was acknowledged and does not hold".to_owned());
        }
        let room = TOLD.saturating_sub(figures.told.len());
        figures.told.extend(told.into_iter().take(room));
        Ok(())
    }

    fn count(self, figures: &mut Figures) {
        figures.faults = figures.faults.and(self.faults);
        figures.updates += self.seen.iter().map(|seen| usize::try_from(seen.seq()).unwrap_or(0)).sum::<usize>();
        figures.prompts += self.prompts.into_values().filter(|acknowledged| *acknowledged).count();
    }
}

/// How often things are in a session's journal that should be there once.
#[derive(Default)]
struct Counted {
    /// Beginnings and ends.
    turns: BTreeMap<TurnId, (usize, usize)>,
    items: BTreeMap<ItemId, (usize, usize)>,
    prompts: BTreeMap<String, usize>,
}

impl Counted {
    fn of(attached: &Attached, updates: &[SessionUpdate]) -> Self {
        let mut counted = Self::default();
        for update in updates {
            match &update.update {
                Update::TurnStarted { turn_id, .. } => counted.turns.entry(turn_id.clone()).or_default().0 += 1,
                Update::TurnEnded { turn_id, .. } => counted.turns.entry(turn_id.clone()).or_default().1 += 1,
                Update::ItemStarted { item } => counted.items.entry(item.id.clone()).or_default().0 += 1,
                Update::ItemEnded { item } => {
                    counted.items.entry(item.id.clone()).or_default().1 += 1;
                    counted.prompt(said(item));
                }
                // The others are compared as they are, and say nothing about each other.
                _ => {}
            }
        }
        attached.queue.iter().for_each(|queued| counted.prompt(words(&queued.input)));
        counted
    }

    fn prompt(&mut self, words: Option<&str>) {
        if let Some(words) = words {
            *self.prompts.entry(words.to_owned()).or_default() += 1;
        }
    }

    fn faults(&self, attached: &Attached, sent: &BTreeMap<String, bool>, told: &mut Vec<String>) -> Faults {
        let mut faults = Faults::default();
        for (turn, (begun, ended)) in &self.turns {
            let runs = attached.turn_id.as_ref() == Some(turn);
            faults.doubled += usize::from(*begun > 1 || *ended > 1);
            faults.lost += usize::from(*begun == 0 || *ended == 0 && !runs);
            if (*begun, *ended) != (1, 1) && !runs {
                told.push(format!("turn {turn} begun {begun} times and ended {ended} times"));
            }
        }
        for (item, (begun, ended)) in &self.items {
            let is_open = attached.turn_id.is_some();
            faults.doubled += usize::from(*begun > 1 || *ended > 1);
            faults.lost += usize::from(*ended == 0 && !is_open);
            if *begun > 1 || *ended > 1 || *ended == 0 && !is_open {
                told.push(format!("item {item} begun {begun} times and ended {ended} times"));
            }
        }
        for (words, acknowledged) in sent {
            let times = self.prompts.get(words).copied().unwrap_or(0);
            faults.doubled += usize::from(times > 1);
            faults.lost += usize::from(times == 0 && *acknowledged);
            if times > 1 || times == 0 && *acknowledged {
                told.push(format!("{words:?}, acknowledged: {acknowledged}, is there {times} times"));
            }
        }
        faults
    }
}

fn said(item: &Item) -> Option<&str> {
    match &item.content {
        ItemContent::UserMessage(message) => words(&message.input),
        // Nothing else is a prompt.
        _ => None,
    }
}

fn words(input: &[InputPart]) -> Option<&str> {
    match input {
        [InputPart::Text { text }] => Some(text),
        _ => None,
    }
}
