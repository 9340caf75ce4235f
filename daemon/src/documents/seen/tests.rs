use super::*;
use crate::documents::tests::{Silent, client, path};
use futures::FutureExt;
use pilotfish_protocol::{Position, Severity};

fn problem(message: &str) -> Diagnostic {
    let at = Position { line: 0, character: 0 };
    let (range, severity) = (Range { start: at, end: at }, Severity::Error);
    Diagnostic { range, severity, message: message.to_owned(), source: None, code: None }
}

fn messages(documents: &Documents) -> Vec<String> {
    let all = documents.diagnostics(&path("/ws"));
    let of_file = |(path, list): (&AbsPath, &Arc<[Diagnostic]>)| {
        list.iter().map(|problem| format!("{path} {}", problem.message)).collect::<Vec<_>>()
    };
    all.iter().flat_map(of_file).collect()
}

#[test]
fn the_latest_word_counts_and_goes_with_its_client() {
    let documents = Documents::default();
    documents.report(&client("n1"), &path("/ws/a"), None, vec![problem("one")]);
    documents.report(&client("n2"), &path("/ws/a"), None, vec![problem("two")]);
    documents.report(&client("n2"), &path("/elsewhere"), None, vec![problem("three")]);
    assert_eq!(messages(&documents), ["/ws/a two"]);
    documents.report(&client("n1"), &path("/ws/a"), None, Vec::new());
    assert_eq!(messages(&documents), [""; 0]);
    documents.leave(&client("n1"));
    assert_eq!(messages(&documents), ["/ws/a two"]);
}

#[test]
fn the_person_looks_where_they_looked_last() {
    let documents = Documents::default();
    let look = |name: &str, file: &str| {
        documents.look_at(&client(name), Looking { path: path(file), selection: None, visible: None });
    };
    let looking = || documents.looking(&path("/ws")).map(|looking| looking.path.to_string());
    assert_eq!(looking(), None);
    look("n1", "/ws/a");
    look("n2", "/ws/b");
    assert_eq!(looking().as_deref(), Some("/ws/b"));
    look("n2", "/elsewhere");
    assert_eq!(looking().as_deref(), Some("/ws/a"));
    documents.leave(&client("n1"));
    assert_eq!(looking(), None);
}

#[tokio::test(start_paused = true)]
async fn only_a_report_on_the_new_text_is_waited_for() {
    let documents = Documents::default();
    documents.open(&client("n1"), &path("/ws/a"), 1, "old".to_owned(), Arc::new(Silent));
    assert_eq!(documents.watched(&path("/ws")), Versions::new());
    documents.will_report(&client("n1"));
    let since = documents.moment();
    documents.change(&client("n1"), &path("/ws/a"), 2, |_| "new".to_owned()).expect("it is open");
    let watched = documents.watched(&path("/ws"));
    assert_eq!(watched, Versions::from([(path("/ws/a"), vec![(client("n1"), 2)])]));
    let mut reported = Box::pin(documents.reported(&watched, since, Duration::from_secs(1)));
    assert_eq!(reported.as_mut().now_or_never(), None);
    documents.report(&client("n1"), &path("/ws/a"), Some(1), Vec::new());
    assert_eq!(reported.as_mut().now_or_never(), None, "that was the old text");
    documents.report(&client("n1"), &path("/ws/a"), Some(2), Vec::new());
    assert_eq!(reported.as_mut().now_or_never(), Some(()));
    // One that says nothing is not waited for any longer than that.
    let started = Instant::now();
    documents.reported(&watched, documents.moment(), Duration::from_millis(1500)).await;
    assert_eq!(started.elapsed(), Duration::from_millis(1500));
    let mut reported = Box::pin(documents.reported(&watched, documents.moment(), Duration::from_secs(1)));
    assert_eq!(reported.as_mut().now_or_never(), None);
    documents.leave(&client("n1"));
    assert_eq!(reported.as_mut().now_or_never(), Some(()), "nobody will report");
}
