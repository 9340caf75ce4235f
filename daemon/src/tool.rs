//! The tools: one table, and one path that every call takes: arguments, policy, effect, record.

use crate::config::known::Edits;
use crate::cx::{TurnCx, TurnError};
use crate::model::{Call, ToolSpec};
use crate::text::excerpt::excerpt;
use pilotfish_protocol::{Edit, EditState, Item, ItemContent, Plan, Status, ToolCall, ToolStatus, Update};
use std::sync::{Arc, LazyLock};

mod args;
mod ask;
mod change;
mod command;
mod edit;
mod editor;
mod list;
mod patch;
mod place;
mod plan;
mod read;
mod search;
mod shell;
#[cfg(test)]
mod wish;
mod write;

/// What a call asks for, with arguments that fit.
enum Task {
    Ask(ask::Args),
    Command(command::Args),
    Edit(edit::Args),
    Editor(editor::Args),
    List(list::Args),
    Patch(patch::Args),
    Plan(plan::Args),
    Read(read::Args),
    Search(search::Args),
    Shell(shell::Args),
    #[cfg(test)]
    Wish(wish::Args),
    Write(write::Args),
}

/// What came of it.
#[derive(Debug, Default)]
struct Output {
    /// What the model is told.
    text: String,
    status: ToolStatus,
    exit_code: Option<i32>,
    /// Changes made or proposed.
    edits: Vec<Edit>,
    plan: Option<Plan>,
}

impl Output {
    fn done(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: ToolStatus::Done, ..Self::default() }
    }

    fn failed(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: ToolStatus::Failed, ..Self::default() }
    }

    fn refused(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: ToolStatus::Refused, ..Self::default() }
    }
}

/// The tools as models are told of them, by name. The order is part of the prompt's prefix: it never depends on anything.
#[must_use]
pub fn specs() -> Arc<[ToolSpec]> {
    static SPECS: LazyLock<Arc<[ToolSpec]>> = LazyLock::new(|| {
        Arc::new([
            ask::spec(),
            command::spec(),
            edit::spec(),
            editor::spec(),
            list::spec(),
            patch::spec(),
            plan::spec(),
            read::spec(),
            search::spec(),
            shell::spec(),
            write::spec(),
        ])
    });
    SPECS.clone()
}

/// Which of the tools that change files a model is told of, by what it was trained on.
const EDITING: &[(Edits, &[&str])] = &[
    (Edits::All, &["edit", "patch", "write"]),
    (Edits::Replace, &["edit", "write"]),
    (Edits::Patch, &["patch"]),
    (Edits::FreePatch, &["patch"]),
];

/// The tools that a model is told of. A call of another one is run all the same: the history may hold one that it learns from.
#[must_use]
pub fn offered(family: Edits) -> Arc<[ToolSpec]> {
    static OFFERED: LazyLock<Vec<(Edits, Arc<[ToolSpec]>)>> = LazyLock::new(|| {
        let chosen = |(family, names): &(Edits, &[&str])| {
            let specs = specs();
            let mut chosen: Vec<ToolSpec> =
                specs.iter().filter(|spec| names.contains(&spec.name) || !edits(spec.name)).cloned().collect();
            if *family == Edits::FreePatch {
                chosen.iter_mut().filter(|spec| spec.name == "patch").for_each(patch::free);
            }
            (*family, chosen.into())
        };
        EDITING.iter().map(chosen).collect()
    });
    OFFERED.iter().find(|(known, _)| *known == family).map_or_else(specs, |(_, specs)| specs.clone())
}

/// Whether a tool changes files one by one, as editors see it.
#[must_use]
pub fn edits(name: &str) -> bool {
    EDITING.iter().any(|(_, names)| names.contains(&own(name)))
}

/// The name that we give to a tool that a model may know by another.
fn own(name: &str) -> &str {
    match name {
        "apply_patch" => "patch",
        name => name,
    }
}

/// Runs one call and gives the item that records it. What the model did wrong is told to the model; it ends no turn.
///
/// # Errors
/// When the turn cannot go on.
pub async fn run(cx: &TurnCx, step: u32, call: Call) -> Result<Item, TurnError> {
    let task = parse(&call);
    let title = task.as_ref().map_or_else(|_| call.name.clone(), Task::title);
    let mut item = cx.item(ItemContent::ToolCall(ToolCall {
        call_id: call.call_id.clone(),
        step,
        name: call.name,
        title: title.clone(),
        input: call.arguments,
        ..ToolCall::default()
    }));
    // In the journal before it runs: after a crash it counts as interrupted, and is never run again by itself.
    cx.record(vec![Update::ItemStarted { item: item.clone() }]).await?;
    cx.status(Status::Running, &title).await;
    let started = tokio::time::Instant::now();
    let output = match task {
        _ if cx.cancel.is_cancelled() => not_run(),
        Err(problem) => Output::failed(problem),
        Ok(task) => task.run(cx, &item).await,
    };
    let Output { text, status, exit_code, edits, plan } = output;
    let capped = excerpt(&text, cx.limits.output_chars);
    let mut updates = Vec::with_capacity(edits.len() + 2);
    if let ItemContent::ToolCall(call) = &mut item.content {
        call.status = status;
        call.exit_code = exit_code;
        call.duration_ms = u64::try_from(started.elapsed().as_millis()).ok();
        call.output = capped.text;
        if capped.omitted_bytes > 0 {
            call.output_bytes = Some(text.len() as u64);
            call.output.push_str(&format!("\n[the whole output: read with path \"{}{}\"]", read::HANDLE, item.id));
        }
    }
    if capped.omitted_bytes > 0
        && let Err(error) = cx.journal.put_output(&cx.session, &item.id, text.into_bytes()).await
    {
        tracing::warn!(session = %cx.session, %error, "could not keep a tool's full output");
    }
    updates.push(Update::ItemEnded { item: item.clone() });
    updates.extend(edits.into_iter().map(|edit| Update::ItemEnded { item: cx.item(shown(edit)) }));
    updates.extend(plan.map(|plan| Update::PlanChanged { plan }));
    cx.record(updates).await?;
    Ok(item)
}

/// An edit as its item; one that could not be made is a conflict.
fn shown(edit: Edit) -> ItemContent {
    match edit.state {
        EditState::Applied | EditState::Proposed => ItemContent::Edit(edit),
        EditState::Conflict => ItemContent::Conflict(edit),
    }
}

fn not_run() -> Output {
    let text = "not run: the person interrupted the turn".to_owned();
    Output { text, status: ToolStatus::Interrupted, ..Output::default() }
}

/// The id of the call an item records.
fn call_id(item: &Item) -> &str {
    match &item.content {
        ItemContent::ToolCall(call) => &call.call_id,
        // Tools are only ever run for calls.
        _ => "",
    }
}

fn parse(call: &Call) -> Result<Task, String> {
    let name = own(&call.name);
    let (specs, arguments) = (specs(), &call.arguments);
    match (name, specs.iter().find(|spec| spec.name == name)) {
        ("ask", Some(spec)) => args::decode(spec, arguments).map(Task::Ask),
        ("command", Some(spec)) => args::decode(spec, arguments).map(Task::Command),
        ("edit", Some(spec)) => args::decode(spec, arguments).map(Task::Edit),
        ("editor", Some(spec)) => args::decode(spec, arguments).map(Task::Editor),
        ("list", Some(spec)) => args::decode(spec, arguments).map(Task::List),
        ("patch", Some(spec)) => args::decode(spec, arguments).map(Task::Patch),
        ("plan", Some(spec)) => args::decode(spec, arguments).map(Task::Plan),
        ("read", Some(spec)) => args::decode(spec, arguments).map(Task::Read),
        ("search", Some(spec)) => args::decode(spec, arguments).map(Task::Search),
        ("shell", Some(spec)) => args::decode(spec, arguments).map(Task::Shell),
        ("write", Some(spec)) => args::decode(spec, arguments).map(Task::Write),
        #[cfg(test)]
        ("wish", None) => serde_json::from_str(arguments).map(Task::Wish).map_err(|error| error.to_string()),
        (name, _) => {
            let known: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            Err(format!("there is no tool {name:?}; the tools are {}", known.join(", ")))
        }
    }
}

impl Task {
    fn title(&self) -> String {
        match self {
            Task::Ask(args) => ask::title(args),
            Task::Command(args) => command::title(args),
            Task::Edit(args) => format!("edit {}", args.path),
            Task::Editor(_) => "look at the editor".to_owned(),
            Task::List(args) => format!("list {}", args.path.as_deref().unwrap_or(".")),
            Task::Patch(args) => patch::title(args),
            Task::Plan(_) => "plan".to_owned(),
            Task::Read(args) => read::title(args),
            Task::Search(args) => format!("search {}", args.pattern),
            Task::Shell(args) => shell::title(args),
            #[cfg(test)]
            Task::Wish(args) => format!("wish {}", args.command),
            Task::Write(args) => format!("write {}", args.path),
        }
    }

    async fn run(self, cx: &TurnCx, item: &Item) -> Output {
        match self {
            Task::Ask(args) => ask::run(cx, args).await,
            Task::Command(args) => command::run(cx, item, args).await,
            Task::Edit(args) => edit::run(cx, item, &args).await,
            Task::Editor(args) => editor::run(cx, &args),
            Task::List(args) => list::run(cx, &args).await,
            Task::Patch(args) => patch::run(cx, item, &args).await,
            Task::Plan(args) => plan::run(args),
            Task::Read(args) => read::run(cx, &args).await,
            Task::Search(args) => search::run(cx, args).await,
            Task::Shell(args) => shell::run(cx, item, &args).await,
            #[cfg(test)]
            Task::Wish(args) => wish::run(cx, item, args).await,
            Task::Write(args) => write::run(cx, item, &args).await,
        }
    }
}

#[cfg(test)]
mod tests;
