//! Where a folder's repository is, and who commits to it. Looks at files; never runs git, and believes no pointer that leads out of
//! a work tree unless what it leads to points back.

use crate::path::AbsPath;
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub(super) mod config;
pub(super) mod index;

/// The largest file that is read here, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Configuration files that name another at most.
const INCLUDES: usize = 8;

/// A repository and the work tree that a folder belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The folder that holds `.git`.
    pub work_tree: AbsPath,
    /// The directory of this work tree's HEAD and index.
    pub git_dir: AbsPath,
    /// The directory of the objects and branches; the same one but for linked work trees.
    pub common_dir: AbsPath,
}

/// Finds the repository of a folder. `ceiling`, usually the home folder, and what holds it are never a work tree: that would be
/// much more than somebody opened.
#[must_use]
pub fn find(workspace: &AbsPath, ceiling: Option<&Path>) -> Option<Repository> {
    let owner = workspace.as_path().symlink_metadata().ok()?.uid();
    for folder in workspace.as_path().ancestors() {
        if folder.parent().is_none() || ceiling.is_some_and(|ceiling| ceiling.starts_with(folder)) {
            return None;
        }
        let dot_git = folder.join(".git");
        let Ok(metadata) = dot_git.symlink_metadata() else { continue };
        // In a shared folder such as /tmp anybody may have put a repository above ours.
        if metadata.uid() != owner {
            return None;
        }
        if metadata.is_dir() && is_git_dir(&dot_git) {
            // Git would take objects and hooks from wherever that file says.
            let is_plain = dot_git.join("commondir").symlink_metadata().is_err();
            let git_dir = absolute(&dot_git).filter(|_| is_plain)?;
            return Some(Repository { work_tree: absolute(folder)?, common_dir: git_dir.clone(), git_dir });
        }
        if metadata.is_file() {
            return linked(folder, &dot_git);
        }
        // A link, or a directory that git passes by as well.
        if !metadata.is_dir() {
            return None;
        }
    }
    None
}

/// The repository that a `.git` file points to, if it points back.
fn linked(folder: &Path, dot_git: &Path) -> Option<Repository> {
    let git_dir = pointer(dot_git, folder)?.canonicalize().ok()?;
    let work_tree = folder.canonicalize().ok()?;
    let common_dir = match read_line(&git_dir.join("commondir")) {
        Some(common) => {
            let common = git_dir.join(common).canonicalize().ok()?;
            let back = git_dir.join(read_line(&git_dir.join("gitdir"))?);
            let points_back = back.parent()?.canonicalize().ok()? == work_tree && back.file_name()? == ".git";
            let is_listed = git_dir.parent()? == common.join("worktrees");
            (points_back && is_listed).then_some(common)?
        }
        None => {
            let back = git_dir.join(config::read(&git_dir.join("config"))?.last("core", "worktree")?);
            (back.canonicalize().ok()? == work_tree).then(|| git_dir.clone())?
        }
    };
    let found = is_git_dir(&common_dir) && git_dir.join("HEAD").symlink_metadata().ok()?.is_file();
    let (git_dir, common_dir) = (absolute(&git_dir)?, absolute(&common_dir)?);
    found.then_some(Repository { work_tree: absolute(&work_tree)?, git_dir, common_dir })
}

/// Where a `.git` file points, from the folder it lies in.
pub(super) fn pointer(dot_git: &Path, folder: &Path) -> Option<PathBuf> {
    Some(folder.join(read_line(dot_git)?.strip_prefix("gitdir:")?.trim_start()))
}

/// What git takes for a repository.
pub(super) fn is_git_dir(path: &Path) -> bool {
    let is = |name: &str, wanted: fn(&Metadata) -> bool| path.join(name).symlink_metadata().is_ok_and(|m| wanted(&m));
    is("HEAD", Metadata::is_file) && is("objects", Metadata::is_dir) && is("refs", Metadata::is_dir)
}

/// A file of one line; `None` when it is no such file.
pub(super) fn read_line(path: &Path) -> Option<String> {
    let text = read_text(path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    (!line.is_empty() && !line.contains(['\n', '\0'])).then(|| line.to_owned())
}

/// The text of a regular file that is no link and not too large.
pub(super) fn read_text(path: &Path) -> Option<String> {
    String::from_utf8(read_bytes(path, MAX_FILE)?).ok()
}

/// The bytes of a regular file that is no link and has at most `max`.
pub(super) fn read_bytes(path: &Path, max: u64) -> Option<Vec<u8>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let mut bytes = Vec::new();
    let is_fit = metadata.is_file() && metadata.len() <= max;
    is_fit.then(|| file.take(max).read_to_end(&mut bytes)).and_then(Result::ok)?;
    Some(bytes)
}

/// What git inside the sandbox is told through its environment: who the person is, taken from their own configuration, and that
/// nothing is signed, for which the keys are missing. `environment` is the person's.
#[must_use]
pub fn identity(environment: &BTreeMap<String, String>, repository: Option<&Repository>) -> Vec<(String, String)> {
    let variable = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let (mut name, mut email) = (None, None);
    for file in person_files(&variable) {
        read_person(&file, repository, variable("HOME"), &mut name, &mut email, 0);
    }
    if let Some(config) = repository.and_then(|known| config::read(&known.common_dir.as_path().join("config"))) {
        name = config.last("user", "name").map(str::to_owned).or(name);
        email = config.last("user", "email").map(str::to_owned).or(email);
    }
    let mut told = Vec::new();
    for (who, what, known) in [
        ("AUTHOR", "NAME", &name),
        ("AUTHOR", "EMAIL", &email),
        ("COMMITTER", "NAME", &name),
        ("COMMITTER", "EMAIL", &email),
    ] {
        let key = format!("GIT_{who}_{what}");
        if let Some(value) = variable(&key).or(known.as_deref()) {
            let value = value.to_owned();
            told.push((key, value));
        }
    }
    // Who owns the files tells git nothing where users have other numbers; what its configuration runs is confined.
    let settings = [("commit.gpgsign", "false"), ("tag.gpgsign", "false"), ("safe.directory", "*")];
    told.push(("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string()));
    for (index, (key, value)) in settings.into_iter().enumerate() {
        told.push((format!("GIT_CONFIG_KEY_{index}"), key.to_owned()));
        told.push((format!("GIT_CONFIG_VALUE_{index}"), value.to_owned()));
    }
    told
}

/// The person's configuration files, later ones win.
fn person_files<'a>(variable: &impl Fn(&str) -> Option<&'a str>) -> Vec<PathBuf> {
    if let Some(only) = variable("GIT_CONFIG_GLOBAL") {
        return vec![PathBuf::from(only)];
    }
    let home = variable("HOME").map(PathBuf::from);
    let shared = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".config")));
    let system = Some(PathBuf::from("/etc/gitconfig"));
    let files = [system, shared.map(|shared| shared.join("git/config")), home.map(|home| home.join(".gitconfig"))];
    files.into_iter().flatten().collect()
}

fn read_person(
    file: &Path,
    repository: Option<&Repository>,
    home: Option<&str>,
    name: &mut Option<String>,
    email: &mut Option<String>,
    depth: usize,
) {
    // People keep these files elsewhere and link to them.
    let Some(config) = file.canonicalize().ok().and_then(|file| config::read(&file)) else { return };
    for entry in config.entries() {
        match (entry.section.as_str(), entry.subsection.as_deref(), entry.key.as_str()) {
            ("user", None, "name") => *name = Some(entry.value.clone()),
            ("user", None, "email") => *email = Some(entry.value.clone()),
            ("include", None, "path") if depth < INCLUDES => {
                read_person(&included(file, home, &entry.value), repository, home, name, email, depth + 1);
            }
            ("includeif", Some(condition), "path") if depth < INCLUDES && holds(condition, file, home, repository) => {
                read_person(&included(file, home, &entry.value), repository, home, name, email, depth + 1);
            }
            _ => {}
        }
    }
}

fn included(file: &Path, home: Option<&str>, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => file.parent().unwrap_or(Path::new("/")).join(path),
    }
}

/// Whether `gitdir:PATTERN` holds, which is how people have one name at work and another at home.
fn holds(condition: &str, file: &Path, home: Option<&str>, repository: Option<&Repository>) -> bool {
    let (Some((kind, pattern)), Some(repository)) = (condition.split_once(':'), repository) else { return false };
    let is_caseless = match kind {
        "gitdir" => false,
        "gitdir/i" => true,
        _ => return false,
    };
    let mut pattern = match (pattern.strip_prefix("~/"), pattern.strip_prefix("./"), home) {
        (Some(rest), _, Some(home)) => format!("{home}/{rest}"),
        (_, Some(rest), _) => included(file, home, rest).display().to_string(),
        _ if !pattern.starts_with('/') => format!("**/{pattern}"),
        _ => pattern.to_owned(),
    };
    if pattern.ends_with('/') {
        pattern.push_str("**");
    }
    let glob = globset::GlobBuilder::new(&pattern).literal_separator(true).case_insensitive(is_caseless).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(repository.git_dir.as_path()))
}

fn absolute(path: &Path) -> Option<AbsPath> {
    AbsPath::new(path).ok()
}

#[cfg(test)]
mod tests;
