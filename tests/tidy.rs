//! What no compiler checks: the import table, sizes, names, the top level, licences. One test for each; the data is in
//! `tidy/tables.rs`. A failure names the file, the line and the mend.

#[path = "tidy/clients.rs"]
mod clients;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tables.rs"]
mod tables;

use source::{File, code_lines, files, identifier, names_below, root, whole_words};
use std::collections::BTreeSet;
use std::fs;

#[track_caller]
fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

// Whether a path below `daemon/src/` is one of the places: `model` is `model.rs` and all below `model/`.
fn lies_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        path.strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.', '_']) || place.ends_with('/'))
    })
}

// `door` of `door.rs` and of `door/contract/session.rs`.
fn top_module(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn joined(halves: &[(&str, &str)]) -> Vec<String> {
    halves.iter().map(|(one, other)| format!("{one}{other}")).collect()
}

// --- the import table ---

#[test]
fn imports_point_one_way() {
    let row = |name: &str| tables::LAYERS.iter().position(|(module, _)| *module == name);
    let mut problems = Vec::new();
    for (position, (module, imports)) in tables::LAYERS.iter().enumerate() {
        for import in *imports {
            if row(import).is_none_or(|below| below <= position) {
                problems.push(format!(
                    "tests/tidy/tables.rs: LAYERS lets {module} import {import}, which is no row below it"
                ));
            }
        }
    }
    check(problems);
}

#[test]
fn modules_import_what_their_row_allows() {
    check(files().iter().flat_map(forbidden_imports).collect());
}

fn forbidden_imports(file: &File) -> Vec<String> {
    let Some(path) = file.in_daemon().filter(|path| *path != "lib.rs") else { return Vec::new() };
    let module = top_module(path);
    let Some((_, allowed)) = tables::LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: the module has no row; give it one in LAYERS in tests/tidy/tables.rs", file.path)];
    };
    let names = names_below(&file.code, "crate").into_iter().chain(names_below(&file.code, "pilotfish"));
    names
        .filter(|(_, name)| *name != module && !allowed.contains(name))
        .filter(|(_, name)| tables::LAYERS.iter().any(|(row, _)| row == name))
        .map(|(at, name)| {
            format!(
                "{}: {module} imports {name}; its row allows {}. Pass the value in, or move what is shared further down",
                file.place(at),
                if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") }
            )
        })
        .collect()
}

#[test]
fn crates_and_side_doors_stay_at_home() {
    check(files().iter().flat_map(strangers).collect());
}

fn strangers(file: &File) -> Vec<String> {
    let Some(path) = file.in_daemon() else { return Vec::new() };
    let crates = tables::HOMES.iter().flat_map(|(name, homes, why)| {
        let uses = file.mentions(name).filter(|&at| names_a_crate(&file.code, at, name));
        uses.map(move |at| (at, *name, *homes, *why))
    });
    let words = tables::WORDS
        .iter()
        .flat_map(|(word, homes, why)| file.mentions(word).map(move |at| (at, *word, *homes, *why)));
    crates
        .chain(words)
        .filter(|(_, _, homes, _)| !lies_in(path, homes))
        .map(|(at, name, homes, why)| {
            let homes = if homes.is_empty() { "nobody".to_owned() } else { homes.join(", ") };
            format!("{}: names {name}, which belongs to {homes}: {why}", file.place(at))
        })
        .collect()
}

// `notify::x` and `use notify` name the crate; `self.notify` and `sync::notify` do not.
fn names_a_crate(code: &str, at: usize, name: &str) -> bool {
    let (before, after) = (&code[..at], &code[at + name.len()..]);
    let inner =
        before.ends_with('.') || before.ends_with("::") && before[..before.len() - 2].ends_with(char::is_alphanumeric);
    !inner && (after.starts_with("::") || before.ends_with("use "))
}

#[test]
fn pure_modules_only_compute() {
    let mut problems = Vec::new();
    for file in files() {
        let Some(path) = file.in_daemon() else { continue };
        let lists =
            [(tables::PURE, tables::IMPURE, "only computes"), (tables::BASE, tables::WAITING, "waits for nothing")];
        for (places, words, what) in lists {
            for word in words.iter().filter(|_| lies_in(path, places)) {
                let told =
                    |at| format!("{}: says {word}, but this module {what}; let its caller do that", file.place(at));
                problems.extend(file.mentions(word).map(told));
            }
        }
    }
    check(problems);
}

// --- sizes ---

#[test]
#[expect(clippy::print_stdout, reason = "tests/run shows the lines that begin with `warned: `")]
fn files_stay_short() {
    let (warned, failed) = tables::FILE_LINES;
    let mut problems = Vec::new();
    for file in files().iter().filter(|file| file.is_rust() && !file.is_test()) {
        let lines = code_lines(&file.code);
        if lines > failed && !tables::TABLES.contains(&file.path.as_str()) {
            problems.push(format!("{}: {lines} lines of code, {failed} are the limit; split it by idea", file.path));
        } else if lines > warned {
            println!("warned: {} has {lines} lines of code; {warned} are the budget", file.path);
        }
    }
    check(problems);
}

#[test]
fn main_reads_at_a_glance() {
    let lines =
        fs::read_to_string(root().join("daemon/src/main.rs")).expect("the daemon has a main.rs").lines().count();
    assert!(
        lines <= tables::MAIN_LINES,
        "daemon/src/main.rs: {lines} lines of {}; move them to cli",
        tables::MAIN_LINES
    );
}

#[test]
fn the_daemons_library_is_a_list_of_modules() {
    let library =
        File::new("daemon/src/lib.rs", &fs::read_to_string(root().join("daemon/src/lib.rs")).expect("it is there"));
    // What unit tests share is the one module that is not in every build.
    let of_tests = |line: &str| ["#[cfg(test)]", "mod testing;"].contains(&line);
    let is_list = |line: &str| line.is_empty() || line.starts_with("pub mod ") && line.ends_with(';') || of_tests(line);
    let problem = |(line, text): (usize, &str)| format!("daemon/src/lib.rs:{}: holds code: {text}; move it", line + 1);
    check(library.code.lines().map(str::trim).enumerate().filter(|(_, text)| !is_list(text)).map(problem).collect());
}

// --- names and texts ---

#[test]
fn modules_say_what_they_own() {
    // Unit tests stand beside the module they speak of.
    let unit_test = |file: &File| file.path.contains("/src/") && file.is_test();
    let rust = files().into_iter().filter(|file| file.is_rust() && !unit_test(file));
    let silent = rust.filter(|file| !file.text.starts_with("//! "));
    check(
        silent
            .map(|file| format!("{}:1: begins without `//!`; say what it owns and what it never does", file.path))
            .collect(),
    );
}

#[test]
fn modules_lie_beside_their_folder() {
    let named_mod = files().into_iter().filter(|file| file.path.ends_with("/mod.rs"));
    check(
        named_mod
            .map(|file| format!("{}: call it by its folder's name and put it beside the folder", file.path))
            .collect(),
    );
}

#[test]
fn names_say_something() {
    check(files().iter().flat_map(empty_nouns).collect());
}

fn empty_nouns(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let stem = file.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    if tables::EMPTY_NOUNS.iter().any(|noun| stem.split(['_', '-']).any(|word| word.eq_ignore_ascii_case(noun))) {
        problems.push(format!("{}: a file's name says what is in it; {stem} does not", file.path));
    }
    for keyword in ["struct ", "enum ", "trait ", "type "].into_iter().filter(|_| file.is_rust()) {
        for at in file.mentions(keyword) {
            let name = identifier(&file.code[at + keyword.len()..]);
            if let Some(noun) = tables::EMPTY_NOUNS.iter().find(|noun| words_of(name).any(|word| word == **noun)) {
                problems.push(format!("{}: {name}: {noun} says nothing; find the noun of what it is", file.place(at)));
            }
        }
    }
    problems
}

// `ModelHandler` is Model, Handler.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = name.match_indices(char::is_uppercase).map(|(at, _)| at).collect();
    starts.push(name.len());
    (1..starts.len()).map(move |i| &name[starts[i - 1]..starts[i]])
}

#[test]
fn texts_are_clean() {
    check(files().iter().filter(|file| !tables::VERBATIM.contains(&file.path.as_str())).flat_map(dirt).collect());
}

fn dirt(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(format!("{}: ends without a line end; add one", file.path));
    }
    // In Rust what stands in quotes may end in blanks: there the code has quotes.
    for (number, (text, code)) in file.text.lines().zip(file.code.lines()).enumerate() {
        if text.ends_with([' ', '\t', '\r']) && code.ends_with([' ', '\t', '\r']) {
            problems.push(format!("{}:{}: ends in blanks; delete them", file.path, number + 1));
        }
    }
    for mark in joined(tables::UNFINISHED) {
        let told = |at| format!("{}: says {mark}; do it, or open an issue", file.place(at));
        problems.extend(whole_words(&file.text, &mark).map(told));
    }
    let exempt = tables::MAY_NAME_MACHINE_PATHS.contains(&file.path.as_str());
    for path in joined(tables::MACHINE_PATHS).into_iter().filter(|_| !exempt) {
        let told = |at| format!("{}: names a path of one machine, {path}; take it from outside", file.place(at));
        problems.extend(file.text.match_indices(&path).map(|(at, _)| at).map(told));
    }
    problems
}

#[test]
fn no_package_registry_is_named() {
    check(files().iter().flat_map(registries).collect());
}

fn registries(file: &File) -> Vec<String> {
    let (one, other) = tables::LOCKFILE_REGISTRY;
    let text =
        if file.path == "Cargo.lock" { file.text.replace(&format!("{one}{other}"), "") } else { file.text.clone() };
    let named = joined(tables::REGISTRIES).into_iter().filter(|host| text.contains(host));
    named
        .map(|host| format!("{}: names {host}; a package's name is enough, its tool knows the host", file.path))
        .collect()
}

#[test]
fn tests_neither_sleep_nor_hide() {
    check(files().iter().filter(|file| file.is_rust()).flat_map(hidden_tests).collect());
}

fn hidden_tests(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    for (attribute, instead) in tables::NO_ATTRIBUTES {
        let hits = file.mentions(attribute).filter(|&at| file.code[..at].ends_with("#["));
        problems.extend(hits.map(|at| format!("{}: #[{attribute}]: {instead}", file.place(at))));
    }
    if file.is_test() && !tables::MAY_SLEEP.contains(&file.path.as_str()) {
        for (words, instead) in tables::NOT_IN_TESTS {
            problems.extend(file.mentions(words).map(|at| format!("{}: {words}: {instead}", file.place(at))));
        }
    }
    problems
}

// --- the repository ---

#[test]
fn the_top_level_is_fixed() {
    let entries: BTreeSet<String> =
        source::paths().iter().filter_map(|path| path.split('/').next().map(str::to_owned)).collect();
    let strange = entries.iter().filter(|entry| !tables::TOP_LEVEL.contains(&entry.as_str()));
    check(
        strange.map(|entry| format!("{entry}: does not belong at the top; move it below one of the folders")).collect(),
    );
}

#[test]
fn the_daemon_has_a_map_and_a_history() {
    let map = fs::read_to_string(root().join("daemon/ARCHITECTURE.md")).unwrap_or_default();
    let library = fs::read_to_string(root().join("daemon/src/lib.rs")).expect("the daemon has a lib.rs");
    let modules = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut problems: Vec<String> = modules
        .filter(|module| !map.contains(&format!("`{module}`")) && !map.contains(&format!("`{module}.rs`")))
        .map(|module| format!("daemon/ARCHITECTURE.md: never mentions `{module}` or `{module}.rs`; say what it owns"))
        .collect();
    if !root().join("daemon/CHANGELOG.md").is_file() {
        problems.push("daemon/CHANGELOG.md: is missing; say there what changed for people".to_owned());
    }
    check(problems);
}

#[test]
fn packages_say_their_licence_and_their_features() {
    let mut problems = Vec::new();
    for (path, licence, texts) in tables::LICENCES {
        let manifest = fs::read_to_string(root().join(path)).expect("the package is there");
        let manifest: toml::Table = manifest.parse().expect("cargo has read it before");
        let found = manifest["package"].get("license").and_then(toml::Value::as_str);
        if found != Some(*licence) {
            problems.push(format!("{path}: license is {found:?}; it must be {licence:?}"));
        }
        for missing in texts.iter().filter(|text| !root().join(text).is_file()) {
            problems.push(format!("{missing}: is missing; {path} needs its text"));
        }
        problems.extend(loose_dependencies(path, &toml::Value::Table(manifest)));
    }
    check(problems);
}

// Versions stand once, in the workspace; and no dependency is taken with all it can do.
fn loose_dependencies(path: &str, manifest: &toml::Value) -> Vec<String> {
    let Some(tables) = manifest.as_table() else { return Vec::new() };
    let mut problems = Vec::new();
    for (key, value) in tables {
        let Some(dependencies) = value.as_table().filter(|_| key.ends_with("dependencies")) else {
            problems.extend(loose_dependencies(path, value));
            continue;
        };
        for (name, dependency) in dependencies {
            if dependency.get("workspace") != Some(&toml::Value::Boolean(true)) {
                problems.push(format!("{path}: {name}: write `{name}.workspace = true` and the version in Cargo.toml"));
            }
            let features = dependency.get("features").and_then(toml::Value::as_array);
            if features.is_some_and(|features| features.iter().any(|feature| feature.as_str() == Some("full"))) {
                problems.push(format!("{path}: {name}: lists the feature \"full\"; list what is used"));
            }
        }
    }
    problems
}

// --- the checks themselves ---

#[test]
fn code_is_told_from_words() {
    let text = r##"let a = "TcpStream // no"; // it's
let b = br#"x"y "#; /* a /* b */ " */ let c: &'a str = f('"', '\'', r);
"##;
    let code = File::new("daemon/src/x.rs", text).code;
    let outside: Vec<String> =
        code.replace('"', "").lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(outside, ["let a = ;", "let b = b; let c: &'a str = f(, , r);"]);
    assert_eq!(code.len(), text.len(), "places stay what they were");
}

#[test]
fn imports_are_found_in_groups_and_in_paths() {
    let code = "use crate::{a::{B, c}, d};\nuse crate::e;\nfn f(x: crate::g::H, y: not_crate::i::J) {}";
    let names: Vec<&str> = names_below(code, "crate").into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["a", "d", "e", "g"]);
}

#[test]
fn every_rule_finds_its_break() {
    let broken = File::new(
        "daemon/src/policy/rules.rs",
        "use crate::door::Door;\nuse rusqlite::Connection;\nfn f() { println!(\"\"); }\nstruct RuleManager; \n",
    );
    let mut found = forbidden_imports(&broken);
    found.extend(strangers(&broken));
    found.extend(empty_nouns(&broken));
    found.extend(dirt(&broken));
    let places: Vec<&str> = found.iter().filter_map(|told| told.split(": ").next()).collect();
    let place = |line: usize| format!("daemon/src/policy/rules.rs:{line}");
    assert_eq!(places, [place(1), place(2), place(3), place(4), place(4)], "{found:#?}");
}
