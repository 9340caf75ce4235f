//! Protected names: files that run later without being asked, or that steer us. At any depth, existing or not.

use crate::path::RootedPath;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::ffi::OsStr;

/// Why a name is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A version control system's own files: hooks and configuration run programs.
    VersionControl,
    /// An editor's start files and settings.
    Editor,
    /// A shell's or tool's start files.
    StartFile,
    /// Another agent's settings.
    Agent,
    /// Our own settings.
    Own,
}

impl Class {
    /// In words that end a sentence.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Class::VersionControl => "a version control system runs what stands there",
            Class::Editor => "an editor obeys or runs what stands there",
            Class::StartFile => "a shell or tool runs what stands there when it starts",
            Class::Agent => "an agent obeys what stands there",
            Class::Own => "it sets what pilotfish may do",
        }
    }
}

/// Names that protect themselves and everything below them. Not here is what people write every day and run by name, such as
/// a Makefile or a package.json: that is source. Nor are AGENTS.md and its like, though agents obey them: agents write them every
/// day, and every change of them shows as any other change does.
pub const NAMES: &[(&str, Class)] = &[
    (".git", Class::VersionControl),
    (".hg", Class::VersionControl),
    (".svn", Class::VersionControl),
    (".jj", Class::VersionControl),
    (".bzr", Class::VersionControl),
    (".sl", Class::VersionControl),
    (".pijul", Class::VersionControl),
    ("_darcs", Class::VersionControl),
    (".fslckout", Class::VersionControl),
    (".gitmodules", Class::VersionControl),
    (".hgrc", Class::VersionControl),
    (".hgsub", Class::VersionControl),
    (".husky", Class::VersionControl),
    (".gitconfig", Class::VersionControl),
    (".githooks", Class::VersionControl),
    (".git-hooks", Class::VersionControl),
    (".overcommit.yml", Class::VersionControl),
    (".pre-commit-config.yaml", Class::VersionControl),
    (".pre-commit-config.yml", Class::VersionControl),
    ("lefthook.yml", Class::VersionControl),
    (".lefthook.yml", Class::VersionControl),
    ("lefthook.yaml", Class::VersionControl),
    (".lefthook.yaml", Class::VersionControl),
    ("lefthook.toml", Class::VersionControl),
    (".lefthook.toml", Class::VersionControl),
    ("lefthook.json", Class::VersionControl),
    (".lefthook.json", Class::VersionControl),
    ("lefthook-local.yml", Class::VersionControl),
    (".lefthook-local.yml", Class::VersionControl),
    ("lefthook-local.yaml", Class::VersionControl),
    (".lefthook-local.yaml", Class::VersionControl),
    ("lefthook-local.toml", Class::VersionControl),
    (".lefthook-local.toml", Class::VersionControl),
    ("lefthook-local.json", Class::VersionControl),
    (".lefthook-local.json", Class::VersionControl),
    (".lefthook", Class::VersionControl),
    (".lefthook-local", Class::VersionControl),
    (".simple-git-hooks.json", Class::VersionControl),
    (".simple-git-hooks.js", Class::VersionControl),
    (".simple-git-hooks.cjs", Class::VersionControl),
    (".vscode", Class::Editor),
    (".idea", Class::Editor),
    (".fleet", Class::Editor),
    (".zed", Class::Editor),
    (".helix", Class::Editor),
    (".kakrc", Class::Editor),
    (".vs", Class::Editor),
    (".theia", Class::Editor),
    (".nvim.lua", Class::Editor),
    (".nvimrc", Class::Editor),
    (".exrc", Class::Editor),
    (".vimrc", Class::Editor),
    (".gvimrc", Class::Editor),
    (".lvimrc", Class::Editor),
    (".local.vimrc", Class::Editor),
    ("_vimrc", Class::Editor),
    ("_exrc", Class::Editor),
    (".vim", Class::Editor),
    (".nvim", Class::Editor),
    (".lazy.lua", Class::Editor),
    (".neoconf.json", Class::Editor),
    (".vimspector.json", Class::Editor),
    (".dir-locals.el", Class::Editor),
    (".dir-locals-2.el", Class::Editor),
    (".dir-locals.eld", Class::Editor),
    (".emacs", Class::Editor),
    (".emacs.d", Class::Editor),
    (".ycm_extra_conf.py", Class::Editor),
    (".devcontainer", Class::Editor),
    (".devcontainer.json", Class::Editor),
    (".gitpod.yml", Class::Editor),
    (".envrc", Class::StartFile),
    ("mise.toml", Class::StartFile),
    (".mise.toml", Class::StartFile),
    ("mise.local.toml", Class::StartFile),
    (".mise.local.toml", Class::StartFile),
    (".mise", Class::StartFile),
    (".rtx.toml", Class::StartFile),
    (".autoenv", Class::StartFile),
    (".autoenv.zsh", Class::StartFile),
    (".autoenv_leave.zsh", Class::StartFile),
    (".bashrc", Class::StartFile),
    (".bash_profile", Class::StartFile),
    (".bash_login", Class::StartFile),
    (".bash_logout", Class::StartFile),
    (".bash_aliases", Class::StartFile),
    (".profile", Class::StartFile),
    (".login", Class::StartFile),
    (".logout", Class::StartFile),
    (".kshrc", Class::StartFile),
    (".mkshrc", Class::StartFile),
    (".cshrc", Class::StartFile),
    (".tcshrc", Class::StartFile),
    (".zshrc", Class::StartFile),
    (".zshenv", Class::StartFile),
    (".zprofile", Class::StartFile),
    (".zlogin", Class::StartFile),
    (".zlogout", Class::StartFile),
    (".cargo", Class::StartFile),
    (".mvn", Class::StartFile),
    (".gdbinit", Class::StartFile),
    (".lldbinit", Class::StartFile),
    (".tmux.conf", Class::StartFile),
    (".screenrc", Class::StartFile),
    (".tmuxinator.yml", Class::StartFile),
    (".irbrc", Class::StartFile),
    (".pryrc", Class::StartFile),
    (".rdbgrc", Class::StartFile),
    (".byebugrc", Class::StartFile),
    (".pdbrc", Class::StartFile),
    (".pdbrc.toml", Class::StartFile),
    (".rprofile", Class::StartFile),
    (".renviron", Class::StartFile),
    (".ghci", Class::StartFile),
    (".ocamlinit", Class::StartFile),
    (".iex.exs", Class::StartFile),
    (".sqliterc", Class::StartFile),
    (".psqlrc", Class::StartFile),
    (".npmrc", Class::StartFile),
    (".yarnrc", Class::StartFile),
    (".yarnrc.yml", Class::StartFile),
    (".pnpmfile.cjs", Class::StartFile),
    (".mcp.json", Class::Agent),
    (".cursor", Class::Agent),
    (".cursorrules", Class::Agent),
    (".cursorignore", Class::Agent),
    (".claude", Class::Agent),
    (".claude.json", Class::Agent),
    (".clinerules", Class::Agent),
    (".cline", Class::Agent),
    (".roo", Class::Agent),
    (".roomodes", Class::Agent),
    (".roorules", Class::Agent),
    (".kilocode", Class::Agent),
    (".codex", Class::Agent),
    (".agents", Class::Agent),
    (".windsurf", Class::Agent),
    (".windsurfrules", Class::Agent),
    (".gemini", Class::Agent),
    (".qwen", Class::Agent),
    (".kiro", Class::Agent),
    (".junie", Class::Agent),
    (".amazonq", Class::Agent),
    (".augment", Class::Agent),
    (".continue", Class::Agent),
    (".continuerc.json", Class::Agent),
    (".goose", Class::Agent),
    (".goosehints", Class::Agent),
    (".opencode", Class::Agent),
    ("opencode.json", Class::Agent),
    ("opencode.jsonc", Class::Agent),
    (".crush.json", Class::Agent),
    ("crush.json", Class::Agent),
    (".crush", Class::Agent),
    (".trae", Class::Agent),
    (".factory", Class::Agent),
    (".aider.conf.yml", Class::Agent),
    (".pilotfish", Class::Own),
];

/// Ends of names that protect a file as [`NAMES`] do.
const ENDS: &[(&str, Class)] = &[(".code-workspace", Class::Editor), (".sublime-project", Class::Editor)];

/// Names that protect a file or a link, and no folder: a well-known package has such a name too. Git takes a folder for a repository
/// when one of these says where the rest of it is, and reads configuration from the other.
const FILES: &[(&str, Class)] = &[("commondir", Class::VersionControl), ("config.worktree", Class::VersionControl)];

/// The class of the first protected name on a path.
#[must_use]
pub fn protected(path: &RootedPath) -> Option<Class> {
    let on_the_way = path.as_path().components().find_map(|component| class_of(component.as_os_str()));
    on_the_way.or_else(|| class_of_file(path.as_path().file_name()?))
}

/// As [`class_of`], of what is no folder.
#[must_use]
pub fn class_of_file(name: &OsStr) -> Option<Class> {
    let folded = fold(&name.to_string_lossy());
    let listed = || FILES.iter().find(|(file, _)| *file == folded || is_short_name(&folded, file));
    class_of(name).or_else(|| listed().map(|(_, class)| *class))
}

/// The class of a single name. Two names count as one when any file system takes them for one.
#[must_use]
pub fn class_of(name: &OsStr) -> Option<Class> {
    let folded = fold(&name.to_string_lossy());
    let is_it = |protected: &str| protected == folded || is_short_name(&folded, protected);
    let listed = NAMES.iter().find(|(protected, _)| is_it(protected));
    let listed = listed.or_else(|| ENDS.iter().find(|(end, _)| folded.ends_with(end))).map(|(_, class)| *class);
    listed.or_else(|| is_of_environment(&folded).then_some(Class::StartFile))
}

/// Whether it is `mise.NAME.toml`, of which each environment has one.
fn is_of_environment(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    name.strip_prefix("mise.").is_some_and(|rest| rest.ends_with(".toml"))
}

/// A name as file systems compare it: compatible characters are one, case does not count, nor do characters nobody sees; NTFS cuts
/// at a colon, and drops blanks and dots at the end.
fn fold(name: &str) -> String {
    let normalizer = ComposingNormalizerBorrowed::new_nfkc();
    let visible = |text: &str| -> String { text.chars().filter(|&c| !is_ignorable(c)).collect() };
    let folded = normalizer.normalize(&visible(name)).to_lowercase();
    // Composing and folding may each make what the other takes apart.
    let folded = visible(&normalizer.normalize(&folded));
    let folded = folded.split_once(':').map_or(folded.as_str(), |(name, _)| name);
    folded.trim_end_matches(['.', ' ']).to_owned()
}

/// Whether a name may be the short one that NTFS and FAT give to a protected one, as `git~1` to `.git`.
fn is_short_name(name: &str, protected: &str) -> bool {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let Some((start, number)) = base.split_once('~') else { return false };
    let plain = protected.trim_start_matches('.');
    let (long, long_extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
    let long: String = long.chars().filter(|c| !matches!(c, '.' | ' ')).take(6).collect();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && start == long && long_extension.chars().take(3).eq(extension.chars())
}

/// Characters that some file systems leave out when they compare names: Unicode's default ignorable ones.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
