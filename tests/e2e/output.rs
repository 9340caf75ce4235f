//! What commands write: too much of it, in one line, in bytes that no screen should get, and from children that stay behind.

use pilotfish::config::Dialect;
use pilotfish_protocol::{Item, ItemContent, Mode, SessionId, StopReason, ToolCall, ToolStatus, Update};
use pilotfish_tests::fake_model::{FakeModel, answer};
use pilotfish_tests::program::Program;
use serde_json::json;

const MEBIBYTE: u64 = 1 << 20;

/// What the daemon may grow by, whatever a command writes.
const MAX_GROWTH: u64 = 32 * MEBIBYTE;

struct Bench {
    model: FakeModel,
    program: Program,
    session: SessionId,
}

impl Bench {
    async fn start() -> Self {
        let model = FakeModel::start(Dialect::Responses).await;
        let mut program = Program::asking(&model).await;
        let session = program.session(Mode::Agent).await;
        Self { model, program, session }
    }

    /// Runs a command in a turn of its own, and answers the item of its call.
    async fn run(&mut self, command: &str) -> ToolCall {
        self.model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Done."));
        self.program.prompt(&self.session, "run it").await;
        assert_eq!(self.program.end(&self.session).await, StopReason::Done, "{command}");
        let items = self.program.items(&self.session).await;
        let call = |item: Item| if let ItemContent::ToolCall(call) = item.content { Some(call) } else { None };
        items.into_iter().filter_map(call).next_back().expect("the call is an item")
    }
}

/// However much a command writes, and however it is cut into lines, the daemon holds a bounded part of it: the beginning and the end,
/// and the status the command ended with.
#[tokio::test]
async fn an_endless_output_is_held_by_its_ends() {
    let mut bench = Bench::start().await;
    // The first command of a daemon brings in what all of them need.
    bench.run("seq 1 1000000").await;
    for (name, writer) in [
        ("lines of two bytes", "yes"),
        ("empty lines", "yes ''"),
        ("lines as usual", "yes 'a line of output that is about as long as lines are'"),
        ("one line", "tr '\\0' a < /dev/zero"),
        ("one line of zeros", "cat /dev/zero"),
        ("one line drawn again and again", "tr '\\0' '\\r' < /dev/zero"),
        ("lines of errors", "yes 'error: it failed'"),
    ] {
        // The named row is written in full; the others need less to show the same.
        let bytes = if name == "lines of two bytes" || name == "one line" { 60_000_000 } else { 12_000_000 };
        let (before, _) = (bench.program.resident(), bench.program.forget_peak());
        let call = bench.run(&format!("echo first; {writer} | head -c {bytes}; echo; echo last; exit 7")).await;
        let growth = bench.program.peak().saturating_sub(before);
        assert!(growth <= MAX_GROWTH, "{name}: grew by {} MiB", growth / MEBIBYTE);
        assert_eq!((call.status, call.exit_code), (ToolStatus::Failed, Some(7)), "{name}");
        assert!(call.output.starts_with("first\n"), "{name}: {:.200}", call.output);
        let end = call.output.rsplit("\n[the whole output").nth(1).unwrap_or(&call.output);
        assert!(end.ends_with("last\n[exit status 7]"), "{name}: {}", &end[end.len().saturating_sub(200)..]);
        assert!(call.output.len() < 100_000, "{name}: {} bytes", call.output.len());
    }
}

/// No byte that a command writes reaches an editor as a control: what it draws, where it points the terminal and what it would put on
/// the clipboard is text, or gone.
#[tokio::test]
async fn control_bytes_reach_no_editor() {
    let mut bench = Bench::start().await;
    for (name, command, shown) in [
        ("random bytes", "head -c 20000 /dev/urandom; echo; echo end", "end"),
        ("colours", r"printf 'a\033[31mred\033[0m\n'", "ared\n"),
        ("the clipboard", r"printf 'b\033]52;c;aGVsbG8=\007c\n'", "bc\n"),
        ("the clipboard, ended otherwise", r"printf 'b\033]52;c;aGVsbG8=\033\\c\n'", "bc\n"),
        ("the clipboard in one byte", r"printf 'b\302\23552;c;aGVsbG8=\302\234c\n'", "bc\n"),
        ("a sequence that does not end", r"printf 'b\033]0;title\nnext\n'", "b\nnext\n"),
        ("zeros", r"printf 'a\0b\n'", r"a\u{0}b"),
        ("a bell and a delete", r"printf 'a\007\177b\n'", r"a\u{7}\u{7f}b"),
        ("a turned direction", "printf 'a\u{202e}b\\n'", r"a\u{202e}b"),
        ("broken characters", r"printf '\377\376\n'", "\u{fffd}\u{fffd}\n"),
        ("a title", "printf x # \u{1b}]52;c;eA==\u{7}", "x"),
    ] {
        let model = &bench.model;
        model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Done."));
        bench.program.prompt(&bench.session, "run it").await;
        let mut texts = Vec::new();
        let call = loop {
            let update = bench.program.client.update().await.update;
            match update {
                Update::ItemDelta { text, .. } => texts.push(text),
                Update::StatusChanged { status } => texts.push(status.text),
                Update::ItemEnded { item: Item { content: ItemContent::ToolCall(call), .. } } => break call,
                // The others have no words of a command.
                _ => {}
            }
        };
        bench.program.end(&bench.session).await;
        assert!(call.output.contains(shown), "{name}: {:?}", call.output);
        assert!(!call.output.contains("aGVsbG8="), "{name}: {:?}", call.output);
        texts.extend([call.output, call.title]);
        for text in texts {
            let control = text.chars().find(|letter| letter.is_control() && !matches!(letter, '\n' | '\t'));
            assert_eq!(control, None, "{name}: {text:?}");
        }
    }
}

/// How many processes of this machine have `mark` in their command line.
fn marked(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("a process table").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(mark.len()).any(|part| part == mark.as_bytes())).count()
}

/// A child that a command leaves behind holds its output open; the call is over all the same when the shell is, and so is the child.
#[tokio::test]
async fn a_child_that_keeps_the_output_open_holds_up_nothing() {
    let mut bench = Bench::start().await;
    let mark = format!("left-behind-{}", std::process::id());
    let sleeper = format!("bash -c 'exec -a {mark} sleep 600'");
    for command in [
        format!("{sleeper} & echo done"),
        format!("setsid {sleeper} & echo done"),
        format!("setsid -f {sleeper}; echo done"),
        format!("nohup {sleeper} & echo done"),
        format!("({sleeper} &); echo done"),
        format!("{sleeper} & disown; echo done"),
        format!("(trap '' HUP TERM INT; {sleeper}) & echo done"),
        format!("{sleeper} 3>&1 1>&- 2>&- & echo done"),
        format!("coproc {sleeper}; echo done"),
    ] {
        let call = bench.run(&command).await;
        assert_eq!((call.status, call.exit_code), (ToolStatus::Done, Some(0)), "{command}: {}", call.output);
        assert!(call.output.ends_with("done\n"), "{command}: {}", call.output);
        assert_eq!(marked(&mark), 0, "{command}: nobody is left");
        // The shell's own end is what counts, not the sleep's.
        assert!(call.duration_ms.is_some_and(|milliseconds| milliseconds < 60_000), "{command}");
    }
}
