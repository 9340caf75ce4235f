//! The demo's words before and after its turn. Pure.

use super::endpoint::Endpoint;
use super::project::{Kind, Place};
use super::witness::Finding;
use crate::cli::terminal::{Look, Looks};
use crate::config::Home;
use crate::sandbox::Confinement;
use std::fmt::Write;
use std::path::Path;

/// Before the turn: what is real and what is not, and where.
pub(super) fn beginning(
    looks: &Looks,
    place: &Place,
    kind: Kind,
    endpoint: &Endpoint,
    confinement: &Confinement,
    prompt: &str,
) -> String {
    let mut page = format!("\n{}\n\n", looks.paint(Look::Bold, "pilotfish demo"));
    page.push_str(&paragraph(
        looks,
        "One true turn of the agent. The model is a script inside this program, so that no key is needed; all the rest is real: the \
         requests, the tools, the sandbox, the change.",
    ));
    page.push('\n');
    let sandbox = match confinement {
        Confinement::Confined => "no network, and nothing writable but the project",
        Confinement::Weak { .. } => "no network, and nothing writable: this machine refuses namespaces",
        Confinement::Refused { .. } => "cannot be set up on this machine, so commands will not be run",
    };
    let rows = [
        ("project", place.project.display().to_string(), kind.words()),
        ("model", format!("http://127.0.0.1:{}", endpoint.port), "the script"),
        ("sandbox", sandbox.to_owned(), ""),
    ];
    for (name, value, note) in rows {
        let note = if note.is_empty() { String::new() } else { format!("  {}", looks.paint(Look::Dim, note)) };
        let _ = writeln!(page, "  {}  {value}{note}", looks.paint(Look::Dim, &format!("{name:<7}")));
    }
    let _ = writeln!(page, "\n{} {prompt}\n", looks.paint(Look::Cyan, "›"));
    page
}

/// After the turn: what was found from outside, and how to go on with a real model.
pub(super) fn end(
    looks: &Looks,
    findings: &[Finding],
    confinement: &Confinement,
    home: &Option<Home>,
    folder: &Path,
) -> String {
    let mut page = heading(looks, "Looked at from outside");
    for finding in findings {
        let (mark, look) = if finding.is_good() { ("✓", Look::Green) } else { ("✗", Look::Red) };
        let _ = writeln!(page, "  {} {}", looks.paint(look, mark), finding.words);
    }
    let missing = match confinement {
        Confinement::Confined => None,
        Confinement::Weak { reason, mend } => Some((format!("Commands could write nothing: {reason}."), mend)),
        Confinement::Refused { reason, mend } => {
            Some((format!("Commands are run confined or not at all, and they could not be: {reason}."), mend))
        }
    };
    if let Some((missing, mend)) = missing {
        page.push_str(&heading(looks, "What was missing"));
        page.push_str(&paragraph(looks, &missing));
        if !mend.is_empty() {
            page.push_str(&paragraph(looks, &format!("To mend it, {mend}")));
        }
    }
    page.push_str(&heading(looks, "The model was a script. For a real one, one of these"));
    page.push_str(&real_models(looks, home));
    page.push_str(&heading(looks, "Then, in a project of yours"));
    for command in
        ["pilotfish exec \"what does this project do?\"", "pilotfish exec --mode agent \"make the tests pass\""]
    {
        let _ = writeln!(page, "  {command}");
    }
    let _ = writeln!(
        page,
        "\n{}",
        looks.paint(Look::Dim, &format!("All of this demo is in {}; delete it when you like.", folder.display()))
    );
    page
}

/// What `--serve` prints.
pub(super) fn serving(looks: &Looks, endpoint: &Endpoint, place: &Place, config: &Path) -> String {
    let mut page = format!("\n{}\n\n", looks.paint(Look::Bold, "pilotfish demo --serve"));
    let words = format!(
        "A scripted model answers at http://127.0.0.1:{}/v1 until Ctrl-C. It knows one project and one way to mend it.",
        endpoint.port
    );
    page.push_str(&paragraph(looks, &words));
    page.push_str(&heading(looks, &format!("Write to {}", config.display())));
    for line in endpoint.config().lines() {
        let _ = writeln!(page, "{}", format!("  {line}").trim_end());
    }
    page.push_str(&heading(looks, "Open this folder, choose agent mode, and ask for anything"));
    let _ = writeln!(page, "  {}\n", place.project.display());
    page
}

fn real_models(looks: &Looks, home: &Option<Home>) -> String {
    let config =
        home.as_ref().map_or_else(|| "config.toml".to_owned(), |home| home.config_file().display().to_string());
    let dim = |text: &str| looks.paint(Look::Dim, text);
    let mut page = String::new();
    let _ = writeln!(page, "  OpenAI    export OPENAI_API_KEY=…  {}", dim("or: pilotfish login openai"));
    let _ = writeln!(page, "  Anthropic export ANTHROPIC_API_KEY=…  {}", dim("or: pilotfish login anthropic"));
    let _ = writeln!(page, "  Ollama    ollama serve  {}", dim("a model server on its usual port is found by itself"));
    let _ = writeln!(page, "  others    {config}\n");
    for (line, note) in [
        ("model = \"work/NAME\"", ""),
        ("", ""),
        ("[providers.work]", ""),
        ("dialect = \"chat\"", "# or \"responses\", \"messages\""),
        ("base_url = \"https://HOST/v1\"", ""),
        ("api_key_env = \"WORK_KEY\"", "# or: pilotfish login work"),
    ] {
        let note = if note.is_empty() { String::new() } else { format!("  {}", dim(note)) };
        let _ = writeln!(page, "{}", format!("            {line:<29}{note}").trim_end());
    }
    page
}

fn heading(looks: &Looks, words: &str) -> String {
    format!("\n{}\n\n", looks.paint(Look::Bold, words))
}

/// Words in lines.
fn paragraph(looks: &Looks, words: &str) -> String {
    let width = looks.text_width().unwrap_or(80);
    let mut lines = String::new();
    let mut line = String::new();
    for word in words.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(&line);
            lines.push('\n');
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests;
