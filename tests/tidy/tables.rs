//! What the checks hold the repository to, as data. A new row here deserves a sentence in the commit that adds it.

/// The daemon's top-level modules from the edge down to the base, and what each may take from `crate::`. A row names only
/// rows below it: arrows point one way. `main` is the program, `bin` the small program that confines itself.
pub const LAYERS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("bin", &["sandbox"]),
    (
        "cli",
        &[
            "clock",
            "config",
            "desktop",
            "door",
            "ground",
            "hub",
            "journal",
            "model",
            "path",
            "policy",
            "prompt",
            "sandbox",
            "session",
            "text",
            "trace",
            "workspace",
        ],
    ),
    (
        "door",
        &[
            "clock",
            "config",
            "documents",
            "hub",
            "journal",
            "path",
            "review",
            "sandbox",
            "session",
            "text",
            "trace",
            "workspace",
        ],
    ),
    // It puts a hub together, as cli does.
    (
        "testing",
        &[
            "clock",
            "config",
            "desktop",
            "ground",
            "hub",
            "journal",
            "model",
            "path",
            "prompt",
            "sandbox",
            "session",
            "workspace",
        ],
    ),
    ("hub", &["clock", "config", "documents", "journal", "model", "path", "review", "sandbox", "session", "workspace"]),
    (
        "session",
        // Of policy: whether a rule may answer a question.
        &[
            "clock",
            "config",
            "cx",
            "desktop",
            "documents",
            "ground",
            "journal",
            "model",
            "path",
            "policy",
            "prompt",
            "review",
            "sandbox",
            "tool",
            "turn",
            "workspace",
        ],
    ),
    ("turn", &["cx", "model", "path", "prompt", "tool"]),
    ("prompt", &["model", "path", "text"]),
    ("tool", &["config", "cx", "ground", "model", "path", "policy", "review", "sandbox", "text", "workspace"]),
    // The handle of a turn to the world, and so what a turn and its tools may know.
    (
        "cx",
        &[
            "clock",
            "config",
            "documents",
            "ground",
            "journal",
            "model",
            "path",
            "policy",
            "review",
            "sandbox",
            "text",
            "workspace",
        ],
    ),
    // One command, from where it works to what it leaves; it knows the cage and the disk, and neither knows the other.
    ("ground", &["path", "sandbox", "workspace"]),
    ("sandbox", &["path", "policy"]),
    // What a command wrote is held against the protected names when it is published.
    ("workspace", &["clock", "documents", "journal", "path", "policy", "review", "text"]),
    // The texts that editors have open. Doors feed it and are asked by it to edit, through a trait of its own.
    ("documents", &["path", "review"]),
    // Pure: what was changed by whom, and what is left to review.
    ("review", &["path", "text"]),
    ("policy", &["path"]),
    ("journal", &["clock", "path"]),
    ("model", &["clock", "config"]),
    ("trace", &["config", "path"]),
    ("config", &["path"]),
    ("clock", &[]),
    // Notices for the person; it knows nothing of what they are about.
    ("desktop", &[]),
    ("path", &[]),
    ("text", &[]),
];

/// Crates with one home: the paths below `daemon/src/` that may name them, and why no other.
pub const HOMES: &[(&str, &[&str], &str)] = &[
    (
        "agent_client_protocol",
        &["door/acp"],
        "no type of that protocol leaves its door; today not even this crate is needed",
    ),
    ("agent_client_protocol_schema", &["door/acp"], "as the crate it belongs to"),
    ("birdcage", &["bin/"], "it demands a program with a single thread"),
    ("clap", &["cli", "main.rs"], "argv is parsed at the edge"),
    ("http_body_util", &["cli/demo", "sandbox/proxy"], "nothing else serves HTTP"),
    ("hyper", &["cli/demo", "sandbox/proxy"], "nothing else serves HTTP"),
    ("hyper_util", &["cli/demo", "sandbox/proxy"], "nothing else serves HTTP"),
    ("jsonrpsee", &["door"], "only the door knows JSON-RPC"),
    ("notify", &["workspace"], "the workspace owns the watches"),
    ("notify_rust", &["desktop"], "notices are shown in one place"),
    ("reqwest", &["model"], "only models are asked over the network"),
    ("rusqlite", &["journal"], "the journal alone keeps records"),
    ("rustls", &["model"], "only models are asked over the network"),
    ("seccompiler", &["bin/"], "the cage is built inside the small program"),
    ("tower", &["door"], "only the door knows JSON-RPC"),
    ("tower_lsp", &["door"], "only the door knows the language server protocol"),
    ("toml_edit", &["config/rules"], "a person's files are changed in one place, their comments kept"),
    ("tracing_subscriber", &["trace"], "one place says where the log goes"),
    ("tree_sitter", &["policy/command"], "command lines are taken apart in one place"),
    ("tree_sitter_bash", &["policy/command"], "command lines are taken apart in one place"),
];

/// Words of code with one home, as [`HOMES`].
pub const WORDS: &[(&str, &[&str], &str)] = &[
    ("pilotfish_protocol::contract", &["door"], "the heart is spoken to in verbs, not methods"),
    (
        "process::Command",
        &["sandbox", "bin/", "door/shim"],
        "the sandbox alone starts what a model or a repository names",
    ),
    (
        "TcpListener",
        &["cli/demo", "config/local", "model/", "sandbox/attendance", "sandbox/launcher", "sandbox/proxy"],
        "sockets are opened in few places",
    ),
    ("TcpStream", &["cli/demo", "config/local", "model/", "sandbox/proxy"], "sockets are opened in few places"),
    ("UdpSocket", &[], "nothing of ours speaks UDP"),
    ("UnixListener", &["door/socket", "sandbox"], "the daemon has one socket"),
    ("UnixStream", &["door/client", "door/socket", "door/shim", "sandbox"], "the daemon has one socket"),
    ("env::args", &["cli", "bin/"], "argv is read at the edge"),
    ("env::args_os", &["cli", "bin/"], "argv is read at the edge"),
    ("env::current_dir", &["cli"], "the current directory is read at the edge"),
    ("env::temp_dir", &["cli", "config"], "the environment is read at the edge"),
    ("env::var", &["cli", "config"], "the environment is read at the edge"),
    ("env::var_os", &["cli", "config"], "the environment is read at the edge"),
    ("env::vars", &["cli", "config"], "the environment is read at the edge"),
    ("env::vars_os", &["cli", "config"], "the environment is read at the edge"),
    ("eprint!", &["cli", "main.rs", "bin/"], "what people read is written by cli; the rest is traced"),
    ("eprintln!", &["cli", "main.rs", "bin/"], "what people read is written by cli; the rest is traced"),
    ("print!", &["cli"], "stdout belongs to the wire"),
    ("println!", &["cli"], "stdout belongs to the wire"),
    ("io::stdout", &["cli"], "stdout belongs to the wire"),
];

/// Paths below `daemon/src/` that only compute: no [`IMPURE`] word stands in them.
pub const PURE: &[&str] = &["model/sse.rs", "policy", "prompt", "review", "sandbox/spec.rs", "session/state", "text"];

/// What a module that only computes does not say.
pub const IMPURE: &[&str] =
    &["async", "await", "tokio", "std::fs", "std::net", "std::process", "std::env", "std::thread"];

/// Paths below `daemon/src/` that wait for nothing: no [`WAITING`] word stands in them.
pub const BASE: &[&str] = &["clock", "path", "text"];

/// What the base does not say.
pub const WAITING: &[&str] = &["async", "await", "tokio", "futures"];

/// Code lines of a file without its tests: above the first it is told, above the second it fails.
pub const FILE_LINES: (usize, usize) = (500, 800);

/// Files whose length is a table's, and so not limited.
pub const TABLES: &[&str] = &[];

/// Lines of the daemon's `main.rs`, comments included.
pub const MAIN_LINES: usize = 40;

/// Words that name no type and no file: each says that somebody stopped looking for the noun.
pub const EMPTY_NOUNS: &[&str] = &["Manager", "Handler", "Processor", "Helper", "Helpers", "Util", "Utils", "Misc"];

/// Code that no test may hold, and what to do instead.
pub const NOT_IN_TESTS: &[(&str, &str)] = &[
    ("thread::sleep", "wait for the event itself, or pause tokio's clock"),
    ("time::sleep", "wait for the event itself, or pause tokio's clock"),
];

/// Test files that may sleep, each with its reason in a comment here.
pub const MAY_SLEEP: &[&str] = &[
    // The bench lets a process settle before it looks, and pauses longer than the pacing of deltas.
    "tests/bench/floor.rs",
    "tests/bench/memory.rs",
    "tests/bench/step.rs",
    "tests/bench/stream.rs",
];

/// Lines of code that the editors' own code may have, by folder. A half more is a failure. A third of the panel's are looks.
pub const CLIENT_LINES: &[(&str, usize)] = &[
    ("editors/neovim/", 3000),
    ("editors/neovim/plugin/", 80),
    ("editors/vscode/src/", 2000),
    ("editors/vscode/panel/", 2250),
];

/// Files of theirs that tests make of the protocol.
pub const MADE: &[&str] = &["editors/neovim/lua/pilotfish/types.lua", "editors/vscode/src/protocol.ts"];

/// Attributes that no Rust file may hold, and what to do instead.
pub const NO_ATTRIBUTES: &[(&str, &str)] = &[
    ("ignore", "delete the test, or let it print `skipped: ` and the reason where it cannot run"),
    ("should_panic", "compare the error"),
];

/// Everything that may stand at the top of the repository.
pub const TOP_LEVEL: &[&str] = &[
    ".ci",
    ".config",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "daemon",
    "deny.toml",
    "editors",
    "protocol",
    "rustfmt.toml",
    "tests",
];

/// The licence of each package, and the files that hold its text.
pub const LICENCES: &[(&str, &str, &[&str])] = &[
    ("daemon/Cargo.toml", "GPL-3.0-or-later", &["daemon/LICENSE"]),
    ("protocol/Cargo.toml", "MIT OR Apache-2.0", &["LICENSE-MIT", "LICENSE-APACHE"]),
    ("tests/Cargo.toml", "MIT OR Apache-2.0", &["LICENSE-MIT", "LICENSE-APACHE"]),
];

/// Texts that are kept as they came.
pub const VERBATIM: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "daemon/LICENSE"];

/// Hosts that packages come from. In halves, since no file may name one, and this is a file.
pub const REGISTRIES: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("npmjs", ".org"),
    ("npmjs", ".com"),
    ("yarnpkg", ".com"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("deb.debian", ".org"),
    ("golang", ".org"),
    ("rubygems", ".org"),
    ("luarocks", ".org"),
];

/// How Cargo.lock names its registry. The one exception: cargo writes it.
pub const LOCKFILE_REGISTRY: (&str, &str) = ("github.com/rust-lang/crates", ".io-index");

/// Where files of one machine lie. In halves, as [`REGISTRIES`].
pub const MACHINE_PATHS: &[(&str, &str)] = &[("/wo", "rk/"), ("/ro", "ot/")];

/// Files that may name them: what the cage hides is named in its test, and a command line reaches a program by such a path.
pub const MAY_NAME_MACHINE_PATHS: &[&str] = &["tests/e2e/sandbox.rs", "tests/policy/classify.jsonl"];

/// Marks of unfinished work. In halves, as [`REGISTRIES`].
pub const UNFINISHED: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME"), ("XX", "X")];
