use super::{MAX_ANSWERS, MAX_BYTES, MAX_REVIEWED, Out, Outbox, OutboxReader, PAGE, Tap};
use crate::path::{AbsPath, RootedPath};
use crate::session::Outlet;
use crate::workspace::Reviewed;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, Attached, Completion, HunkList, Item, ItemContent, ItemId, Mode, Plan, Session, SessionId,
    SessionStatus, SessionUpdate, Status, Update, Usage,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn id() -> SessionId {
    SessionId::from("s1")
}

fn item(name: &str, text: &str) -> Item {
    let content = ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion: Completion::Open });
    Item { id: ItemId::from(name), turn_id: None, at: String::new(), content }
}

fn session() -> Session {
    Session {
        id: id(),
        workspace: "/w".to_owned(),
        title: String::new(),
        mode: Mode::ReadOnly,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: String::new(),
        updated_at: String::new(),
        archived: false,
        parent: None,
    }
}

/// A session's side: it journals, keeps open texts and pushes.
#[derive(Default)]
struct Source {
    journal: Vec<SessionUpdate>,
    open: BTreeMap<ItemId, String>,
    status: String,
    /// What is journaled is shown only when something else is done.
    is_slow: bool,
    /// Journaled, and not shown yet.
    unshown: Vec<SessionUpdate>,
}

impl Source {
    fn attached(&self) -> Attached {
        Attached {
            session: session(),
            seq: self.journal.len() as u64,
            turn_id: None,
            open_items: self.open.iter().map(|(id, text)| item(&id.0, text)).collect(),
            approvals: Vec::new(),
            draft: String::new(),
            queue: Vec::new(),
            plan: Plan::default(),
            usage: Usage::default(),
            context: pilotfish_protocol::ContextUse::default(),
            commands: Vec::new(),
        }
    }

    fn durable(&mut self, tap: Option<&Tap>, update: Update) {
        self.catch_up(tap);
        let update = SessionUpdate { session_id: id(), seq: Some(self.journal.len() as u64 + 1), update };
        self.journal.push(update.clone());
        self.unshown.push(update);
        if !self.is_slow {
            self.catch_up(tap);
        }
    }

    /// Shows what is journaled.
    fn catch_up(&mut self, tap: Option<&Tap>) {
        for update in self.unshown.drain(..) {
            if let Some(tap) = tap {
                tap.send(&update);
            }
        }
    }

    fn loose(&mut self, tap: Option<&Tap>, update: Update) {
        self.catch_up(tap);
        if let Some(tap) = tap {
            tap.send(&SessionUpdate { session_id: id(), seq: None, update });
        }
    }

    fn start(&mut self, tap: Option<&Tap>, name: &str) {
        if self.open.contains_key(&ItemId::from(name)) {
            return;
        }
        self.open.insert(ItemId::from(name), String::new());
        self.durable(tap, Update::ItemStarted { item: item(name, "") });
    }

    fn delta(&mut self, tap: Option<&Tap>, name: &str, text: &str) {
        if let Some(held) = self.open.get_mut(&ItemId::from(name)) {
            held.push_str(text);
            self.loose(tap, Update::ItemDelta { item_id: ItemId::from(name), text: text.to_owned() });
        }
    }

    fn end(&mut self, tap: Option<&Tap>, name: &str) {
        if let Some(text) = self.open.remove(&ItemId::from(name)) {
            self.durable(tap, Update::ItemEnded { item: item(name, &text) });
        }
    }

    fn status(&mut self, tap: Option<&Tap>, text: &str) {
        text.clone_into(&mut self.status);
        let status = SessionStatus { state: Status::Running, text: text.to_owned() };
        self.loose(tap, Update::StatusChanged { status });
    }

    fn resend(&mut self, tap: Option<&Tap>) {
        self.catch_up(tap);
        for (id, text) in self.open.clone() {
            self.loose(tap, Update::ItemChanged { item: item(&id.0, &text) });
        }
    }
}

/// A client's side: it folds.
#[derive(Default, Debug, PartialEq, Eq, Clone)]
struct Folded {
    seq: u64,
    texts: BTreeMap<ItemId, String>,
    status: String,
}

impl Folded {
    fn fold(&mut self, update: &SessionUpdate) {
        if let Some(seq) = update.seq {
            assert_eq!(seq, self.seq + 1, "durable updates come in order, each once");
            self.seq = seq;
        }
        match &update.update {
            Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item } => {
                let ItemContent::AgentMessage(message) = &item.content else { panic!("only messages here") };
                self.texts.insert(item.id.clone(), message.text.clone());
            }
            Update::ItemDelta { item_id, text } => {
                self.texts.get_mut(item_id).expect("a delta's item is known").push_str(text);
            }
            Update::StatusChanged { status } => status.text.clone_into(&mut self.status),
            other => panic!("not used here: {other:?}"),
        }
    }

    fn snapshot(&mut self, attached: &Attached) {
        for open in &attached.open_items {
            let ItemContent::AgentMessage(message) = &open.content else { panic!("only messages here") };
            self.texts.insert(open.id.clone(), message.text.clone());
        }
    }
}

fn attach(outbox: &Arc<Outbox>, source: &Source, folded: &mut Folded) -> Tap {
    let tap = outbox.attach(&id());
    let attached = source.attached();
    tap.open(&attached, Some(folded.seq));
    folded.snapshot(&attached);
    outbox.answer(Vec::new());
    tap
}

/// Does what the reader asks for once; answers whether there was anything.
fn read(reader: &mut OutboxReader, source: &mut Source, tap: &Tap, folded: &mut Folded) -> bool {
    match reader.try_next() {
        Err(_) => return false,
        Ok(Out::Update(update)) => folded.fold(&update),
        Ok(Out::CatchUp { session_id, after, attachment }) => {
            assert!(reader.is_current(&session_id, attachment));
            let page: Vec<_> = source.journal.iter().skip(after as usize).take(PAGE).cloned().collect();
            assert!(!page.is_empty(), "only what is in the journal is asked for");
            page.iter().for_each(|update| folded.fold(update));
            reader.caught_up(&session_id, folded.seq);
        }
        Ok(Out::Resend(_)) => source.resend(Some(tap)),
        Ok(Out::Changed(_) | Out::Frame(_) | Out::Reviewed(_) | Out::ReviewAll) => {}
    }
    true
}

fn line(out: &Out) -> String {
    let Out::Update(update) = out else { return format!("{out:?}") };
    match &update.update {
        Update::ItemDelta { item_id, text } => format!("{item_id} +{text}"),
        Update::ItemStarted { item } => format!("{} started", item.id),
        Update::ItemEnded { item } => format!("{} ended", item.id),
        Update::StatusChanged { status } => status.text.clone(),
        other => format!("{other:?}"),
    }
}

/// What comes out within a second of paused time, with the milliseconds since the start.
async fn check(outbox: &Arc<Outbox>, expected: Expect) {
    let start = tokio::time::Instant::now();
    let mut reader = OutboxReader::new(Arc::clone(outbox));
    let mut lines = Vec::new();
    while let Ok(Some(out)) = tokio::time::timeout(Duration::from_secs(1), reader.next()).await {
        lines.push(format!("{} ms: {}", start.elapsed().as_millis(), line(&out)));
    }
    expected.assert_eq(&lines.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn the_first_delta_goes_at_once_and_the_others_are_merged() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    let tap = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&tap), "a");
    source.delta(Some(&tap), "a", "1");
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    assert_eq!(reader.next().await.as_ref().map(line).as_deref(), Some("a started"));
    assert_eq!(reader.next().await.as_ref().map(line).as_deref(), Some("a +1"));
    source.delta(Some(&tap), "a", "2");
    source.delta(Some(&tap), "a", "3");
    check(&outbox, expect!["33 ms: a +23"]).await;
    source.delta(Some(&tap), "a", "4");
    check(&outbox, expect!["0 ms: a +4"]).await;
}

#[tokio::test(start_paused = true)]
async fn another_update_behind_a_held_delta_lets_it_go() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    let tap = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&tap), "a");
    source.start(Some(&tap), "b");
    for text in ["1", "2"] {
        source.delta(Some(&tap), "a", text);
        source.delta(Some(&tap), "b", text);
    }
    check(
        &outbox,
        expect![[r#"
            0 ms: a started
            0 ms: b started
            0 ms: a +12
            0 ms: b +12"#]],
    )
    .await;
    source.delta(Some(&tap), "a", "3");
    check(&outbox, expect!["0 ms: a +3"]).await;
    source.delta(Some(&tap), "a", "4");
    source.delta(Some(&tap), "b", "4");
    source.end(Some(&tap), "b");
    check(
        &outbox,
        expect![[r#"
        0 ms: a +4
        0 ms: b +4
        0 ms: b ended"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_streaming_items_are_each_paced() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    let tap = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&tap), "a");
    source.start(Some(&tap), "b");
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    let mut deltas = 0;
    for _ in 0..1000 {
        source.delta(Some(&tap), "a", "x");
        source.delta(Some(&tap), "b", "y");
        while let Ok(out) = reader.try_next() {
            deltas += usize::from(line(&out).contains('+'));
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert!((50..=62).contains(&deltas), "{deltas} deltas of two items in a second");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_the_answer_is_on_its_way() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    source.start(None, "a");
    let tap = outbox.attach(&id());
    let attached = source.attached();
    source.delta(Some(&tap), "a", "1");
    source.end(Some(&tap), "a");
    check(&outbox, expect![""]).await;
    tap.open(&attached, None);
    check(&outbox, expect![""]).await;
    outbox.answer(Vec::new());
    check(
        &outbox,
        expect![[r#"
            0 ms: a +1
            0 ms: a ended"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_old_tap_leads_nowhere() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    let old = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&old), "a");
    let tap = attach(&outbox, &source, &mut Folded { seq: 1, ..Folded::default() });
    source.delta(Some(&old), "a", "lost");
    old.close();
    source.delta(Some(&tap), "a", "kept");
    check(&outbox, expect!["0 ms: a +kept"]).await;
    outbox.detach(&id());
    source.delta(Some(&tap), "a", "x");
    check(&outbox, expect![""]).await;
    assert_eq!(outbox.lock().bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_costs_no_more_than_the_bound_and_catches_up() {
    let (outbox, mut source, mut folded) = (Outbox::new(), Source::default(), Folded::default());
    let tap = attach(&outbox, &source, &mut folded);
    let text = "x".repeat(100_000);
    for turn in 0..300 {
        let name = format!("i{turn:03}");
        source.start(Some(&tap), &name);
        for _ in 0..10 {
            source.delta(Some(&tap), &name, &text);
            assert!(outbox.lock().bytes <= MAX_BYTES);
        }
        source.status(Some(&tap), &name);
        if turn < 299 {
            source.end(Some(&tap), &name);
        }
    }
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    while read(&mut reader, &mut source, &tap, &mut folded) {}
    assert_eq!(folded.seq, 599);
    assert_eq!(folded.status, "i299");
    assert!(folded.texts.values().all(|folded| folded.len() == 1_000_000));
    assert_eq!(folded.texts.len(), 300);
    source.delta(Some(&tap), "i299", "y");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(read(&mut reader, &mut source, &tap, &mut folded));
    assert!(folded.texts[&ItemId::from("i299")].ends_with("xy"));
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_ahead_of_its_session_repeats_nothing() {
    let (outbox, mut source, mut folded) = (Outbox::new(), Source::default(), Folded::default());
    source.start(None, "a");
    source.end(None, "a");
    let tap = attach(&outbox, &source, &mut folded);
    source.is_slow = true;
    source.start(Some(&tap), "b");
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    while read(&mut reader, &mut source, &tap, &mut folded) {}
    source.delta(Some(&tap), "b", "text");
    while read(&mut reader, &mut source, &tap, &mut folded) {}
    assert_eq!((folded.seq, folded.texts[&ItemId::from("b")].as_str()), (3, "text"));
}

#[tokio::test(start_paused = true)]
async fn answers_come_first_and_are_bounded_by_waiting() {
    let outbox = Outbox::new();
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    outbox.changed(&session());
    outbox.room().await;
    outbox.answer(vec![0; MAX_ANSWERS + 1]);
    let waiting = tokio::spawn({
        let outbox = Arc::clone(&outbox);
        async move { outbox.room().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    assert!(matches!(reader.next().await, Some(Out::Frame(_))));
    waiting.await.expect("there is room again");
    assert!(matches!(reader.next().await, Some(Out::Changed(_))));
    outbox.answer(vec![1]);
    outbox.end();
    outbox.changed(&session());
    assert_eq!(reader.next().await, Some(Out::Frame(vec![1])));
    assert_eq!(reader.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_told_when_the_daemon_ends_and_not_when_the_client_leaves() {
    let (outbox, mut source) = (Outbox::new(), Source::default());
    let tap = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&tap), "a");
    outbox.finish();
    outbox.end();
    check(&outbox, expect!["0 ms: a started"]).await;
    assert_eq!(OutboxReader::new(Arc::clone(&outbox)).next().await, None);

    let (outbox, mut source) = (Outbox::new(), Source::default());
    let tap = attach(&outbox, &source, &mut Folded::default());
    source.start(Some(&tap), "a");
    outbox.end();
    assert_eq!(OutboxReader::new(Arc::clone(&outbox)).next().await, None);
}

#[derive(Debug, Clone)]
enum Step {
    Start(u8),
    Delta(u8, usize),
    End(u8),
    Status(u8),
    Read(u8),
    Attach,
    Slow(bool),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..4u8).prop_map(Step::Start),
        6 => (0..4u8, prop_oneof![1..20usize, Just(MAX_BYTES / 3), Just(MAX_BYTES + 1)]).prop_map(|(item, size)| Step::Delta(item, size)),
        2 => (0..4u8).prop_map(Step::End),
        1 => (0..9u8).prop_map(Step::Status),
        4 => (1..6u8).prop_map(Step::Read),
        1 => Just(Step::Attach),
        1 => any::<bool>().prop_map(Step::Slow),
        1 => (0..50u8).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_interleaving_folds_to_the_same(steps in proptest::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (outbox, mut source, mut folded) = (Outbox::new(), Source::default(), Folded::default());
            let mut tap = attach(&outbox, &source, &mut folded);
            let mut reader = OutboxReader::new(Arc::clone(&outbox));
            for step in steps {
                match step {
                    Step::Start(name) => source.start(Some(&tap), &format!("i{name}")),
                    Step::Delta(name, size) => source.delta(Some(&tap), &format!("i{name}"), &"d".repeat(size)),
                    Step::End(name) => source.end(Some(&tap), &format!("i{name}")),
                    Step::Status(text) => source.status(Some(&tap), &text.to_string()),
                    Step::Read(times) => {
                        for _ in 0..times {
                            read(&mut reader, &mut source, &tap, &mut folded);
                        }
                    }
                    Step::Attach => {
                        source.catch_up(Some(&tap));
                        source.status.clone_into(&mut folded.status);
                        tap = attach(&outbox, &source, &mut folded);
                    }
                    Step::Slow(is_slow) => source.is_slow = is_slow,
                    Step::Wait(millis) => tokio::time::advance(Duration::from_millis(u64::from(millis))).await,
                }
                assert!(outbox.lock().bytes <= MAX_BYTES);
            }
            source.status(Some(&tap), "end");
            tokio::time::advance(Duration::from_secs(1)).await;
            while read(&mut reader, &mut source, &tap, &mut folded) {
                tokio::time::advance(Duration::from_millis(40)).await;
            }
            let mut expected = Folded::default();
            for update in &source.journal {
                expected.fold(update);
            }
            expected.texts.extend(source.open.clone());
            source.status.clone_into(&mut expected.status);
            assert_eq!(folded, expected);
            assert_eq!(outbox.lock().bytes, 0);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_for_an_earlier_attachment_is_known_as_such() {
    let (outbox, mut source, mut folded) = (Outbox::new(), Source::default(), Folded::default());
    source.start(None, "a");
    source.end(None, "a");
    attach(&outbox, &source, &mut folded);
    let reader = OutboxReader::new(Arc::clone(&outbox));
    let first = outbox.lock().feeds[&id()].number();
    assert!(reader.is_current(&id(), first));
    attach(&outbox, &source, &mut folded);
    assert!(!reader.is_current(&id(), first));
    outbox.detach(&id());
    assert!(!reader.is_current(&id(), first));
}

fn reviewed(name: &str) -> Reviewed {
    let root = AbsPath::new("/p").expect("absolute");
    let path = RootedPath::new(&root, name).expect("inside");
    Reviewed { root, path, versions: Vec::new(), hunks: Arc::default() }
}

#[tokio::test(start_paused = true)]
async fn of_a_file_under_review_only_the_latest_word_is_held() {
    let outbox = Outbox::new();
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    for version in 1..=3 {
        outbox.reviewed(reviewed("a"), Some(version));
        outbox.reviewed(reviewed("b"), Some(version));
    }
    let list = |name: &str| HunkList { uri: Some(format!("file:///p/{name}")), version: Some(3), hunks: Vec::new() };
    assert_eq!(reader.try_next(), Ok(Out::Reviewed(Box::new(list("a")))));
    assert_eq!(reader.try_next(), Ok(Out::Reviewed(Box::new(list("b")))));
    assert_eq!(reader.try_next(), Err(None));
}

#[tokio::test(start_paused = true)]
async fn words_on_too_many_files_become_one_list_of_all() {
    let outbox = Outbox::new();
    let mut reader = OutboxReader::new(Arc::clone(&outbox));
    for count in 0..=MAX_REVIEWED {
        outbox.reviewed(reviewed(&count.to_string()), None);
    }
    outbox.reviewed(reviewed("late"), None);
    assert_eq!(reader.try_next(), Ok(Out::ReviewAll));
    assert_eq!(reader.try_next(), Err(None));
    outbox.reviewed(reviewed("later"), None);
    assert!(matches!(reader.try_next(), Ok(Out::Reviewed(_))));
}
