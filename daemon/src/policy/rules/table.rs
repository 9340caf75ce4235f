//! Programs that run, or write, whatever their further words say. A rule for one holds for exact words only.
//!
//! No list of such programs is ever complete. It keeps a person from widening a rule to all that a machine can do; that a rule is
//! exact unless a person widens it is what keeps the rest.

const INTERPRETS: &str = "runs the program it is told";
const WRAPS: &str = "runs other programs";
const WRITES: &str = "writes files that its options name";
const CHANGES: &str = "changes what a shell does";
const PLACED: &str = "is named by its place, where links may lead anywhere";

/// Interpreters: what they run stands in their words or in a file their words name.
const INTERPRETERS: &[&str] = &[
    "ash",
    "awk",
    "bash",
    "bun",
    "clisp",
    "csh",
    "dash",
    "deno",
    "elixir",
    "emacs",
    "erl",
    "expect",
    "fish",
    "gawk",
    "gdb",
    "ghci",
    "groovy",
    "guile",
    "hush",
    "iex",
    "irb",
    "java",
    "jshell",
    "julia",
    "ksh",
    "lldb",
    "lua",
    "luajit",
    "m4",
    "mawk",
    "mksh",
    "nawk",
    "node",
    "nodejs",
    "nu",
    "nvim",
    "ocaml",
    "octave",
    "original-awk",
    "osascript",
    "perl",
    "php",
    "pwsh",
    "powershell",
    "pypy",
    "python",
    "pythonw",
    "R",
    "racket",
    "rbash",
    "Rscript",
    "ruby",
    "runghc",
    "scala",
    "sbcl",
    "scheme",
    "sh",
    "sqlite",
    "swift",
    "swipl",
    "tclsh",
    "ts-node",
    "tsx",
    "vi",
    "vim",
    "wish",
    "xonsh",
    "yash",
    "zsh",
];

/// The others, and what makes them so.
const OTHERS: &[(&str, &[&str])] = &[
    (
        WRAPS,
        &[
            "at",
            "batch",
            "bazel",
            "bind",
            "builtin",
            "busybox",
            "bwrap",
            "bunx",
            "chroot",
            "chrt",
            "command",
            "corepack",
            "coproc",
            "crontab",
            "dbus-run-session",
            "direnv",
            "doas",
            "docker",
            "ed",
            "entr",
            "env",
            "eval",
            "ex",
            "exec",
            "fakeroot",
            "fd",
            "fdfind",
            "find",
            "firejail",
            "flatpak",
            "flock",
            "git",
            "hg",
            "hyperfine",
            "ionice",
            "just",
            "kubectl",
            "ld",
            "ld.so",
            "less",
            "ltrace",
            "make",
            "man",
            "mosh",
            "more",
            "nc",
            "ncat",
            "nice",
            "nix",
            "nix-shell",
            "nohup",
            "npx",
            "nsenter",
            "parallel",
            "perf",
            "pipx",
            "pkexec",
            "podman",
            "poetry",
            "pnpx",
            "prlimit",
            "proot",
            "rg",
            "rsync",
            "run-parts",
            "runuser",
            "scp",
            "screen",
            "script",
            "sed",
            "setarch",
            "setpriv",
            "setsid",
            "sftp",
            "socat",
            "sort",
            "split",
            "ssh",
            "ssh-agent",
            "start-stop-daemon",
            "stdbuf",
            "strace",
            "su",
            "sudo",
            "sudoedit",
            "svn",
            "systemctl",
            "systemd-run",
            "tar",
            "taskset",
            "time",
            "timeout",
            "tmux",
            "toybox",
            "uftrace",
            "unbuffer",
            "unshare",
            "uv",
            "uvx",
            "valgrind",
            "view",
            "watch",
            "watchexec",
            "wsl",
            "xargs",
            "xterm",
            "yq",
            "zip",
        ],
    ),
    (
        WRITES,
        &[
            "bsdtar", "cp", "cpio", "curl", "dd", "install", "ln", "mv", "patch", "rm", "shred", "tee", "touch",
            "truncate", "unzip", "wget", "xxd", "chmod", "chown", "mkfifo", "mknod", "openssl", "gpg",
        ],
    ),
    (CHANGES, &["cd", "export", "printf", "set", "source", ".", "test", "[", "trap", "alias", "shopt", "kill"]),
];

/// Options behind which an interpreter takes text or the name of a module, where it else takes a file. What an awk takes is text, unless
/// it is told otherwise.
const TAKE_TEXT: &[(&[&str], &[&str])] = &[
    (&["ash", "bash", "dash", "fish", "ksh", "mksh", "rbash", "sh", "yash", "zsh"], &["-c", "-lc", "-ec", "-xc"]),
    (&["pypy", "python"], &["-c", "-m"]),
    (&["perl", "ruby"], &["-e", "-E", "-ne", "-pe", "-lne", "-lane"]),
    (&["bun", "node", "nodejs"], &["-e", "-p", "--eval", "--print"]),
    (&["elixir", "julia", "lua", "luajit", "octave", "rscript"], &["-e"]),
    (&["php"], &["-r"]),
];

/// Interpreters whose first word is text.
const TEXT_FIRST: &[&str] = &["awk", "gawk", "mawk", "nawk", "original-awk"];

/// Why a rule for this program may not be a prefix.
pub(super) fn no_prefix(program: &str) -> Option<&'static str> {
    if is_interpreter(program) {
        return Some(INTERPRETS);
    }
    let name = base(program);
    let stem = without_version(&name);
    let listed = OTHERS.iter().find(|(_, names)| names.contains(&name.as_str()) || names.contains(&stem));
    match listed {
        Some((why, _)) => Some(why),
        None if name.starts_with("ld-linux") || name.starts_with("ld-musl") => Some(WRAPS),
        None if program.starts_with('/') || program.split('/').any(|part| part == "..") => Some(PLACED),
        None => None,
    }
}

/// Whether a program runs what its words, or a file they name, say.
pub(super) fn is_interpreter(program: &str) -> bool {
    let name = base(program);
    let stem = without_version(&name);
    INTERPRETERS.iter().any(|known| known.eq_ignore_ascii_case(&name) || known.eq_ignore_ascii_case(stem))
}

/// Whether what follows a first word is no file to run, or that word itself is none.
pub(super) fn takes_text(program: &str, first: &str) -> bool {
    let name = base(program);
    let stem = without_version(&name);
    let by_option = TAKE_TEXT.iter().any(|(names, options)| names.contains(&stem) && options.contains(&first));
    by_option || TEXT_FIRST.contains(&stem) && !first.starts_with('-')
}

/// The name without its folders; without case, since some file systems have none.
fn base(program: &str) -> String {
    let name = program.rsplit('/').next().unwrap_or(program).to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// `python3.12` and `perl-5.36` are what `python` and `perl` are.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}
